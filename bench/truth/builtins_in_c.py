"""Long calls into C that keep the GIL, or give it away: time of the Python function that calls."""

import re
import zlib

from truth_clock import Truth, write

DATA = bytes(range(256)) * 200
NUMBERS = [(i * 7919) % 10007 for i in range(10000)]
PATTERN = re.compile("(a|aa)+b")


def work_regex():
    PATTERN.match("a" * 18)


def work_sum():
    sum(range(20000))


def work_zlib():
    zlib.compress(DATA)


def work_sorted():
    sorted(NUMBERS)


def main():
    truth = Truth()
    while truth.more():
        for function in truth.shuffled([work_regex, work_sum, work_zlib, work_sorted]):
            truth.call(function.__name__, function)
    write(truth)


main()
