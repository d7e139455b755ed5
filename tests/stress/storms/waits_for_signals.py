"""Every signal is blocked, and one thread waits for them all."""

import os
import signal
import threading
import time


def burn(s):
    end = time.thread_time() + s
    while time.thread_time() < end:
        sum(range(100))


got = []
every = signal.valid_signals()
signal.pthread_sigmask(signal.SIG_BLOCK, every)


def waiter():
    while True:
        n = signal.sigwait(every)
        got.append(int(n))
        if n == signal.SIGTERM:
            return
        burn(0.002)


t = threading.Thread(target=waiter)
t.start()
bs = [threading.Thread(target=burn, args=(0.1,)) for _ in range(3)]
for b in bs:
    b.start()
for _ in range(20):
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.005)
for b in bs:
    b.join()
os.kill(os.getpid(), signal.SIGTERM)
t.join()
print(set(got), got[-1])
while signal.sigtimedwait(every, 0):
    pass
os.kill(os.getpid(), signal.SIGUSR2)
print(signal.sigwaitinfo(every).si_signo, signal.sigtimedwait(every, 0.1))
try:
    signal.sigtimedwait(every, -1.0)
except ValueError as error:
    print(error)
