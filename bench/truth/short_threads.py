"""A thread for each task, most of them over before a sampler's first interval is."""

import threading

from truth_clock import HZ, SECONDS, UNIT, Truth, write

MOST = int(UNIT * 10_000 / HZ)  # rounds that take some interval of a sampler


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
