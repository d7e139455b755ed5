"""Threads whose stacks are as small as they may be."""

import threading

threading.stack_size(32 * 1024)
res = []


def work(n):
    total = 0
    for i in range(20000):
        total += i * n % 7
    res.append(total)


for _ in range(20):
    ts = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
print(sum(res))
