"""Coroutines that give way to each other after each piece of work, under a loop of their own."""

from truth_clock import UNIT, Truth, write


class GiveWay:
    def __await__(self):
        yield


async def step(n):
    for _ in range(n):
        pass
    await GiveWay()


async def work_direct(n):
    while True:
        for _ in range(n):
            pass
        await GiveWay()


async def work_awaiting(n):
    while True:
        await step(n)


def main():
    truth = Truth()
    tasks = [("work_direct", work_direct(UNIT)), ("work_awaiting", work_awaiting(3 * UNIT))]
    while truth.more():
        for name, task in truth.shuffled(tasks):
            truth.call(name, task.send, None)
    for _, task in tasks:
        task.close()
    write(truth)


main()
