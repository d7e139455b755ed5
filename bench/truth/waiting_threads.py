"""A thread that waits all the time for a lock, and one that sleeps and computes by turns."""

import threading
import time

from truth_clock import UNIT, Truth, write

truths = []
done = threading.Lock()


def work_locked():
    done.acquire()


def work_busy(n):
    for _ in range(n):
        pass


def work_asleep(seconds):
    time.sleep(seconds)


def waiter():
    truth = Truth()
    truths.append(truth)
    truth.call("work_locked", work_locked)


def main():
    truth = Truth()
    done.acquire()
    thread = threading.Thread(target=waiter)
    thread.start()
    while truth.more():
        truth.call("work_busy", work_busy, 40 * UNIT)
        truth.call("work_asleep", work_asleep, 0.005)
    done.release()
    thread.join()
    write(truth, *truths)


main()
