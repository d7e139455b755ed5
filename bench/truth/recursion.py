"""A tree of calls, a chain of calls two hundred deep, and a loop."""

from truth_clock import UNIT, Truth, write


def work_tree(n):
    return n if n < 2 else work_tree(n - 1) + work_tree(n - 2)


def work_chain(depth, n):
    if depth:
        return work_chain(depth - 1, n)
    for _ in range(n):
        pass
    return depth


def work_loop(n):
    for _ in range(n):
        pass


def main():
    truth = Truth()
    while truth.more():
        truth.call("work_tree", work_tree, 13)
        truth.call("work_chain", work_chain, 200, 2 * UNIT)
        truth.call("work_loop", work_loop, 2 * UNIT)
    write(truth)


main()
