"""A function that computes and one that sleeps; only its system calls cost CPU time."""

import time

from truth_clock import UNIT, Truth, write


def work_busy(n):
    for _ in range(n):
        pass


def work_asleep(seconds):
    time.sleep(seconds)


def main():
    truth = Truth()
    while truth.more():
        truth.call("work_busy", work_busy, 20 * UNIT)
        truth.call("work_asleep", work_asleep, 0.003)
    write(truth)


main()
