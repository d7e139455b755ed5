"""Two pairs of caller and helper by turns, as fast as it goes: work_b never calls helper_a."""

from truth_clock import Truth, write


def helper_a(x):
    return x + 1


def helper_b(x):
    return x + 1


def work_a(x):
    return helper_a(x)


def work_b(x):
    return helper_b(x)


def flutter(n):
    x = 0
    for _ in range(n):
        x = work_a(x)
        x = work_b(x)


def main():
    truth = Truth()
    while truth.more():
        flutter(1000)
        truth.count("work_a", 1000)
        truth.count("work_b", 1000)
    write(truth)


main()
