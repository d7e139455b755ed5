"""A thread that works little and mostly waits for the GIL, which another holds in C for long."""

import threading

from truth_clock import UNIT, Truth, write

truths = []


def work_holding(truth):
    while truth.more(0.9):
        sum(range(1000000))


def work_waiting(truth):
    while truth.more(0.1):
        for _ in range(UNIT):
            pass


def timed(function):
    truth = Truth()  # begins with the clock of this thread
    truths.append(truth)
    truth.call(function.__name__, function, truth)


def main():
    threads = [threading.Thread(target=timed, args=(one,)) for one in (work_holding, work_waiting)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write(*truths)


main()
