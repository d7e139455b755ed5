"""A thread that works little and mostly waits for the GIL, which another holds in C for long."""

from truth_clock import UNIT, together


def work_holding(truth):
    while truth.more(0.9):
        sum(range(1000000))


def work_waiting(truth):
    while truth.more(0.1):
        for _ in range(UNIT):
            pass


together(work_holding, work_waiting)
