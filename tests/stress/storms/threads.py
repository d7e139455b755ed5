"""Threads by the thousand that live for a moment."""

import _thread
import threading


def work(n):
    total = 0
    for i in range(n):
        total += i * i
    return total


def short(n):
    work(n % 50)


for _ in range(60):
    ts = [threading.Thread(target=short, args=(i,)) for i in range(50)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
done = threading.Semaphore(0)


def raw(n):
    work(n % 200)
    done.release()


for i in range(2000):
    _thread.start_new_thread(raw, (i,))
    if i % 20 == 19:
        for _ in range(20):
            done.acquire()
print("ok")
