"""What threads cost, bare and sampled, by turns.

    python bench/threads.py [--hz 1000] [--wall] [--rounds 7] [--site DIR ...]

prints for each of LOADS the CPU time of the program, all its threads, for each thing that it does:
medians of the rounds, in microseconds. DIR: a folder for sys.path that has another vmprof, to be
run beside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TIMED = """
import queue, sys, threading, time

def starts(times):
    for _ in range(times):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

def handoffs(times):
    there, back = queue.SimpleQueue(), queue.SimpleQueue()
    def asks():
        for _ in range(times):
            there.put(1)
            back.get()
    def answers():
        for _ in range(times):
            back.put(there.get())
    threads = [threading.Thread(target=one) for one in (asks, answers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

def naps(times):
    def sleeps():
        for _ in range(times // 8):
            time.sleep(0.001)
    threads = [threading.Thread(target=sleeps) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

load, times = globals()[sys.argv[1]], int(sys.argv[2])
load(times // 8)
begin = time.process_time()
load(times)
print((time.process_time() - begin) / times * 1e6)
"""

# Name: (function, how often, on how many processors at most).
LOADS = {
    "start a thread and wait for its end": ("starts", 4000, 64),
    "ask a thread and wait for the answer": ("handoffs", 16000, 64),
    "the same on one processor": ("handoffs", 16000, 1),
    "sleep for 1 ms in one of 8 threads": ("naps", 16000, 64),
}


def measure(command: list[str], env: dict[str, str], load: str) -> float:
    function, times, most = LOADS[load]
    cpus = sorted(os.sched_getaffinity(0))[:most]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cpus)), *command, function, str(times)],
        env=env,
        text=True,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return float(done.stdout.splitlines()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="What threads cost.")
    parser.add_argument("--hz", type=int, default=1000)
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--site", type=Path, nargs="*", default=[])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "load.py"
        program.write_text(TIMED)
        env = {"PATH": "/usr/bin:/bin"}
        sampled = [sys.executable, "-m", "vmprof", "-p", str(1 / args.hz), *["--wall"] * args.wall]
        sampled += ["-o", f"{folder}/log", str(program)]
        commands = {"bare": ([sys.executable, str(program)], env), "vmprof": (sampled, env)}
        for site in args.site:
            commands[str(site)] = (sampled, {**env, "PYTHONPATH": str(site.resolve())})
        for load in LOADS:
            took: dict[str, list[float]] = {name: [] for name in commands}
            for _ in range(args.rounds):
                for name, command in commands.items():
                    took[name].append(measure(*command, load))
            bare = statistics.median(took["bare"])
            print(load)
            for name, values in took.items():
                median = statistics.median(values)
                print(f"  {name:8} {median:6.0f} us, {median / bare:4.2f} of bare")


if __name__ == "__main__":
    main()
