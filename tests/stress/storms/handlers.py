"""Handlers of the program's own for every signal, set at run time; each gets its own alone."""

import os
import signal
import time

got = []


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(100))


def handler(number, frame):
    got.append(number)


for name in ("SIGPROF", "SIGTRAP", "SIGUSR1", "SIGVTALRM", "SIGSEGV", "SIGBUS"):
    number = getattr(signal, name)
    for action in (handler, signal.SIG_IGN, signal.SIG_DFL, handler):
        before = signal.signal(number, action)
        burn(0.02)
        print(name, before == handler, signal.getsignal(number) == action, got)
    os.kill(os.getpid(), number)
    burn(0.01)
    print(name, got)
    got.clear()
    signal.signal(number, signal.SIG_IGN)
    os.kill(os.getpid(), number)
    burn(0.01)
    print(got)
signal.signal(signal.SIGPROF, handler)
signal.setitimer(signal.ITIMER_PROF, 0.02, 0.02)
burn(0.3)
signal.setitimer(signal.ITIMER_PROF, 0)
print(5 < len(got) < 20)
