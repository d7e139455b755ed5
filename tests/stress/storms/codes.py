"""Code objects that are made, run once and dropped."""

import gc
import threading


def maker(k, out):
    total = 0
    for n in range(1000):
        space = {}
        exec(
            compile(
                f"def f_{k}_{n}(x):\n    def g(y):\n        return sum(range(y))\n    return g(x) + {n}\n",
                f"made_{k}_{n}",
                "exec",
            ),
            space,
        )
        total += space[f"f_{k}_{n}"](40)
        del space
    out.append(total)


out = []
ts = [threading.Thread(target=maker, args=(k, out)) for k in range(4)]
for t in ts:
    t.start()
for t in ts:
    t.join()
print(sorted(out), gc.collect() >= 0)
