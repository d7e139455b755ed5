"""A function that computes and one that sleeps so often that falling asleep is much of the work."""

import time

from truth_clock import UNIT, Truth, write

NAPS = 8


def work_busy(n):
    for _ in range(n):
        pass


def work_asleep(seconds):
    for _ in range(NAPS):
        time.sleep(seconds)


def main():
    truth = Truth()
    while truth.more():
        truth.call("work_busy", work_busy, NAPS * UNIT)
        truth.call("work_asleep", work_asleep, 0.0003)
    write(truth)


main()
