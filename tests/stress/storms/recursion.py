"""Recursion to the limit and beyond, in Python and in C."""

import json
import sys
import threading


def depth(n=0):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


print([depth() for _ in range(200)] == [depth()] * 200, depth() > 900)


def nested(n):
    x = []
    for _ in range(n):
        x = [x]
    return x


def tries(f, *a):
    try:
        return type(f(*a)).__name__
    except RecursionError:
        return "RecursionError"


print([tries(repr, nested(n)) for n in (100, 100000)])
print([tries(json.dumps, nested(n)) for n in (100, 100000)])


class C:
    def __getattr__(self, n):
        return getattr(self, n + "x")


for _ in range(5):
    print(tries(getattr, C(), "a"))


class D:
    def __lt__(self, o):
        return sorted([self, o]) is None


for _ in range(20):
    print(tries(sorted, [D(), D()]))
sys.setrecursionlimit(30000)
res = []


def inthread():
    sys.setrecursionlimit(30000)

    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    for _ in range(10):
        res.append(down(20000))


threading.stack_size(512 << 20)
t = threading.Thread(target=inthread)
t.start()
t.join()
print(res)
