"""A thread for each task of some 0.2 ms: most are over before a sampler's first interval is."""

import threading

from truth_clock import SECONDS, UNIT, Truth, write

MOST = 2 * UNIT


def work_main(n):
    for _ in range(n):
        pass


def work_early(n):
    for _ in range(n):
        pass


def work_late(n):
    for _ in range(n):
        pass


def task(truth, early, late):
    truth.call("work_early", work_early, early)
    truth.call("work_late", work_late, late)


def main():
    truth = Truth()
    while sum(truth.spent.values()) < SECONDS:
        early, late = truth.random.randrange(MOST), truth.random.randrange(MOST)
        thread = threading.Thread(target=task, args=(truth, early, late))
        thread.start()
        thread.join()
        truth.call("work_main", work_main, truth.random.randrange(2 * MOST))
    write(truth)


main()
