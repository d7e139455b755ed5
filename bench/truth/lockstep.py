"""Two functions by turns, 30 % and 70 % of a period that is the sampler's own.

With $TURN set, of one that is so many times as long.
"""

import os

from truth_clock import HZ, SECONDS, Truth, now, write

TURN = float(os.environ.get("TURN", "1"))


# Each ends with a reading of the clock that begins the other's time: at 10 kHz readings of their
# own would take percents of the period.
def work_30(until):
    while True:
        at = now()
        if at >= until:
            return at


def work_70(until):
    while True:
        at = now()
        if at >= until:
            return at


def main():
    truth = Truth()
    thirty = seventy = 0.0
    period = TURN / HZ
    begin = at = last = now()
    while last - begin < SECONDS:
        middle = work_30(at + 0.3 * period)
        thirty += middle - last
        last = work_70(at + period)
        seventy += last - middle
        at += period
    truth.count("work_30", thirty)
    truth.count("work_70", seventy)
    write(truth)


main()
