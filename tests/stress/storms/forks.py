"""Forks, execs and all ways to start a process, from several threads."""

import os
import subprocess
import sys
import threading
import warnings


def burn(n):
    t = 0
    for i in range(n):
        t += i * i
    return t


def children(n, out):
    bad = 0
    for k in range(n):
        pid = os.fork()
        if not pid:
            burn(3000)
            if k % 3 == 0:
                p2 = os.fork()
                if not p2:
                    burn(1000)
                    os._exit(5)
                os._exit(os.waitpid(p2, 0)[1] >> 8)
            if k % 3 == 1:
                os.execv("/bin/sh", ["sh", "-c", "exit 5"])
            os._exit(5)
        burn(2000)
        bad += os.waitpid(pid, 0)[1] >> 8 != 5
    out.append(bad)


warnings.simplefilter("ignore")
out = []
children(30, out)
ts = [threading.Thread(target=children, args=(15, out)) for _ in range(3)]
for t in ts:
    t.start()
for t in ts:
    t.join()
print(out)
print(sum(subprocess.call(["/bin/sh", "-c", "exit 3"]) for _ in range(10)))
print(
    sum(
        subprocess.call(["/bin/sh", "-c", "exit 3"], preexec_fn=lambda: burn(2000))
        for _ in range(10)
    )
)
print(
    sum(
        os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], os.environ), 0)[1] >> 8
        for _ in range(10)
    )
)
print(sum(os.system("exit 3") >> 8 for _ in range(10)))
print(
    sum(
        subprocess.call(
            [sys.executable, "-c", "import os\nfor i in range(10**5): pass\nos._exit(4)"]
        )
        for _ in range(3)
    )
)
