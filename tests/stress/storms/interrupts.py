"""A signal of the program's own ends a system call early, by the exception its handler raises."""

import os
import signal
import threading
import time


class Stop(Exception):
    pass


def stop(number, frame):
    raise Stop(number)


def later(number):
    time.sleep(0.1)
    signal.pthread_kill(threading.main_thread().ident, number)


for number in (signal.SIGPROF, signal.SIGTRAP, signal.SIGUSR1):
    signal.signal(number, stop)
    thread = threading.Thread(target=later, args=(number,))
    thread.start()
    begin = time.monotonic()
    try:
        time.sleep(5)
    except Stop as error:
        print(error, time.monotonic() - begin < 3)
    thread.join()
    read_end, write_end = os.pipe()
    thread = threading.Thread(target=later, args=(number,))
    thread.start()
    try:
        print(os.read(read_end, 1))
    except Stop as error:
        print(error)
    thread.join()
