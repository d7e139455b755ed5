"""Equal work in two functions."""

from truth_clock import UNIT, Truth, write


def work_a(n):
    for _ in range(n):
        pass


def work_b(n):
    for _ in range(n):
        pass


def main():
    truth = Truth()
    while truth.more():
        for function in truth.shuffled([work_a, work_b]):
            truth.call(function.__name__, function, 2 * UNIT)
    write(truth)


main()
