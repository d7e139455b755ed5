"""A function that computes, and one whose system calls keep it in the kernel for milliseconds."""

import os

from truth_clock import UNIT, Truth, write


def work_user(n):
    for _ in range(n):
        pass


def work_kernel(fd, n):
    os.read(fd, n)


def main():
    truth = Truth()
    fd = os.open("/dev/urandom", os.O_RDONLY)
    while truth.more():
        truth.call("work_user", work_user, 20 * UNIT)
        truth.call("work_kernel", work_kernel, fd, 2000000)
    write(truth)


main()
