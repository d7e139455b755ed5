"""Sub-interpreters that come and go, with work and threads inside."""

import sys
import threading

try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        sys.exit("this Python has none")

WORK = """
def work(n):
    total = 0
    for i in range(n):
        total += i * i
    return total
work(3000)
"""


def one():
    other = interpreters.create()
    interpreters.run_string(other, WORK)
    interpreters.destroy(other)


for _ in range(10):
    one()
if sys.version_info >= (3, 13):
    for _ in range(2):
        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
print("done")
