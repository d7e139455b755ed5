"""Greenlets: a ring that passes a number on, generators by switching, deep stacks."""

import greenlet


def deep(n, then):
    return then() if n == 0 else deep(n - 1, then)


def ring_member(number):
    def run(value):
        while value < 60_000:
            value = members[(number + 1) % len(members)].switch(value + number % 3 + 1)
        return value

    return run


def producer(n):
    for i in range(n):
        greenlet.getcurrent().parent.switch(sum(range(i % 50)))
    return None


def consume(n):
    total = 0
    child = greenlet.greenlet(producer)
    value = child.switch(n)
    while value is not None:
        total += value
        value = child.switch()
    return total


def member(number):
    run = ring_member(number)
    return greenlet.greenlet(lambda value: deep(number * 20, lambda: run(value)))


members = []
members.extend(member(number) for number in range(10))
print(members[0].switch(0))
print(consume(30_000))
print(sum(consume(200) for _ in range(100)))
