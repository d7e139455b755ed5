"""Generators, one of them in another, and a function beside them."""

from truth_clock import UNIT, Truth, write


def work_generator(n):
    while True:
        for _ in range(n):
            pass
        yield n


def inner(n):
    while True:
        for _ in range(n):
            pass
        yield n


def work_delegating(n):
    yield from inner(n)


def work_function(n):
    for _ in range(n):
        pass


def main():
    truth = Truth()
    generator, delegating = work_generator(UNIT), work_delegating(2 * UNIT)
    while truth.more():
        truth.call("work_generator", next, generator)
        truth.call("work_delegating", next, delegating)
        truth.call("work_function", work_function, UNIT)
    write(truth)


main()
