"""What the programs here share: they spend time in functions `work_...` and tell how much in each.

Each is called `python PROGRAM SECONDS OUT HZ MODE`: spends about so many seconds of CPU (in MODE
`wall` of wall time), and at its end writes {function: seconds by its own clock} to OUT as JSON.
HZ is the rate at which it is sampled. A share is a function's time of that of all functions named,
with what it calls; where the program itself is, or its clock, belongs to none.
"""

import json
import random
import sys
import threading
import time

SECONDS = float(sys.argv[1])
OUT = sys.argv[2]
HZ = float(sys.argv[3])
WALL = sys.argv[4] == "wall"

# Each call is timed by two readings of the clock, which cost about a microsecond: a call should
# take a hundred or more. UNIT rounds of a loop do on the machines of today.
UNIT = 4000

now = time.perf_counter if WALL else time.thread_time


def nothing():
    pass


def clock_overhead(rows=41, calls=100):
    """Seconds that a timed call has of Truth.call and its clock: of no function that is named.

    The median of rows of calls, since a machine may stand still for longer than all of them take.
    """
    spent = [0.0] * rows
    for row in range(rows):
        for _ in range(calls):
            begin = now()
            nothing()
            end = now()
            spent[row] += end - begin
    return sorted(spent)[rows // 2] / calls


OVERHEAD = clock_overhead()


class Truth:
    """Seconds by function. One for each thread that is timed."""

    def __init__(self):
        self.spent = {}
        self.random = random.Random(1)
        self.begin = now()

    def call(self, name, function, *args):
        begin = now()
        result = function(*args)
        end = now()
        self.spent[name] = self.spent.get(name, 0.0) + (end - begin - OVERHEAD)
        return result

    def count(self, name, calls):
        """For functions that are known by counting: all calls cost the same."""
        self.spent[name] = self.spent.get(name, 0.0) + calls

    def more(self, part=1.0):
        return now() - self.begin < SECONDS * part

    def shuffled(self, items):
        items = list(items)
        self.random.shuffle(items)
        return items


def timed(function, truths):
    truth = Truth()  # begins with the clock of this thread
    truths.append(truth)
    truth.call(function.__name__, function, truth)


def together(*functions):
    """Runs each in a thread of its own, with a Truth of that thread, and writes what they spent."""
    truths = []
    threads = [threading.Thread(target=timed, args=(one, truths)) for one in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write(*truths)


def write(*truths):
    spent = {}
    for truth in truths:
        spent.update(truth.spent)
    with open(OUT, "w") as file:
        json.dump(spent, file)
