"""The load that the benchmarks run: a fixed amount of pure Python work at a given stack depth.

    python load.py busy DEPTH THREADS ROUNDS SLICES FILE
    python load.py idle THREADS SECONDS FILE

writes what the load took, as its own process sees it, into FILE: one JSON object with `cpu` and
`wall`, lists of seconds, and `process`, the CPU seconds of the process up to then. The busy load
does its ROUNDS rounds SLICES times and has one element for each; the idle one has the time in which
all its threads wait. Busy calls leaf() through descend(), which calls itself DEPTH - 4 times less
one; together with main(), run(), work() and the module that makes DEPTH frames.
"""

from __future__ import annotations

import json
import sys
import threading
import time


def mix(value: int) -> int:
    return (value * 1103515245 + 12345) & 0x7FFFFFFF


def collatz(value: int) -> int:
    steps = 0
    while value != 1 and steps < 40:
        value = value // 2 if value % 2 == 0 else 3 * value + 1
        steps += 1
    return steps


def words(value: int) -> int:
    text = "abcdefghij"
    return len([c for c in text if ord(c) % (value % 7 + 2)])


def leaf(rounds: int) -> int:
    value, total = 12345, 0
    for _ in range(rounds):
        value = mix(value)
        total += collatz(value % 1000 + 1)
        total += words(value)
    return total


def descend(depth: int, rounds: int) -> int:
    return leaf(rounds) if depth <= 1 else descend(depth - 1, rounds)


def work(depth: int, rounds: int) -> None:
    # The stack is left and entered again a few hundred times a second, as in a real program.
    for _ in range(rounds):
        descend(depth - 4, 100)


def run(depth: int, threads: int, rounds: int) -> None:
    if threads == 1:
        work(depth, rounds)
        return
    others = [
        threading.Thread(target=work, args=(depth, rounds // threads)) for _ in range(threads)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join()


def idle(threads: int, seconds: float) -> tuple[float, float]:
    """Threads that wait, and a main thread that sleeps. The CPU and wall seconds of that."""
    enough = threading.Event()
    others = [threading.Thread(target=enough.wait) for _ in range(threads)]
    for other in others:
        other.start()
    cpu, wall = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    took = time.process_time() - cpu, time.perf_counter() - wall
    enough.set()
    for other in others:
        other.join()
    return took


def main(words: list[str]) -> None:
    slices = []
    if words[0] == "busy":
        for _ in range(int(words[4])):
            cpu, wall = time.process_time(), time.perf_counter()
            run(*map(int, words[1:4]))
            slices.append((time.process_time() - cpu, time.perf_counter() - wall))
    else:
        slices.append(idle(int(words[1]), float(words[2])))
    cpus, walls = zip(*slices)
    with open(words[-1], "w", encoding="ascii") as file:
        json.dump({"cpu": cpus, "wall": walls, "process": time.process_time()}, file)


if __name__ == "__main__":
    main(sys.argv[1:])
