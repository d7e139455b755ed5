"""Two threads that use CPU time 3 : 1, while the main thread waits."""

import threading

from truth_clock import UNIT, Truth, write

truths = []


def spin(n):
    for _ in range(n):
        pass


def work_three(truth):
    while truth.more(0.75):
        spin(UNIT)


def work_one(truth):
    while truth.more(0.25):
        spin(UNIT)


def timed(function):
    truth = Truth()  # begins with the clock of this thread
    truths.append(truth)
    truth.call(function.__name__, function, truth)


def main():
    threads = [threading.Thread(target=timed, args=(one,)) for one in (work_three, work_one)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write(*truths)


main()
