"""A function that computes and one that sleeps so often that falling asleep is much of the work."""

import time

from truth_clock import UNIT, Truth, write

NAPS = 8  # on average


def work_busy(n):
    for _ in range(n):
        pass


def work_asleep(naps):
    for _ in range(naps):
        time.sleep(0.0003)


def main():
    truth = Truth()
    while truth.more():
        # No two rounds alike: lockstep.py is about what repeats.
        truth.call("work_busy", work_busy, truth.random.randrange(2 * NAPS * UNIT))
        truth.call("work_asleep", work_asleep, truth.random.randrange(2 * NAPS + 1))
    write(truth)


main()
