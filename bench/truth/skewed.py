"""90 %, 9 % and 1 %."""

from truth_clock import UNIT, Truth, write


def work_90(n):
    for _ in range(n):
        pass


def work_9(n):
    for _ in range(n):
        pass


def work_1(n):
    for _ in range(n):
        pass


def main():
    truth = Truth()
    calls = [work_90] * 90 + [work_9] * 9 + [work_1]
    while truth.more():
        for function in truth.shuffled(calls):
            truth.call(function.__name__, function, UNIT)
    write(truth)


main()
