"""Two threads that use CPU time 3 : 1, while the main thread waits."""

from truth_clock import UNIT, together


def spin(n):
    for _ in range(n):
        pass


def work_three(truth):
    while truth.more(0.75):
        spin(UNIT)


def work_one(truth):
    while truth.more(0.25):
        spin(UNIT)


together(work_three, work_one)
