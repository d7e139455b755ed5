"""Generators and coroutines, left half way, closed, thrown into, cancelled."""

import asyncio


def count(n):
    yield from range(n)


def chain(depth, n):
    if depth == 0:
        yield from count(n)
    else:
        yield from chain(depth - 1, n)


print(sum(sum(chain(d, 200)) for d in range(60)))


def half(depth):
    g = chain(depth, 10)
    next(g)
    return g


for _ in range(300):
    gs = [half(d) for d in range(20)]
    for g in gs[::2]:
        g.close()
    for g in gs[1::3]:
        try:
            g.throw(KeyError)
        except KeyError:
            pass
    del gs


async def agen(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def leaf(n):
    t = 0
    async for x in agen(n):
        t += x
    return t


async def tree(d, n):
    if d == 0:
        return await leaf(n)
    a, b = await asyncio.gather(tree(d - 1, n), tree(d - 1, n))
    return a + b


print(asyncio.run(tree(6, 20)))


async def cancelled():
    ts = [asyncio.ensure_future(leaf(10**6)) for _ in range(200)]
    await asyncio.sleep(0.05)
    for t in ts:
        t.cancel()
    print(
        sum(
            1
            for r in await asyncio.gather(*ts, return_exceptions=True)
            if isinstance(r, asyncio.CancelledError)
        )
    )


asyncio.run(cancelled())
