"""A line server on asyncio and its clients in one process; argv[1]: the loop."""

import asyncio
import json
import sys


def answer(line):
    numbers = json.loads(line)
    return json.dumps({"sum": sum(numbers), "sorted": sorted(numbers)}).encode() + b"\n"


async def parse_slowly(line):
    await asyncio.sleep(0)
    return answer(line)


async def serve(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(await parse_slowly(line))
        await writer.drain()
    writer.close()


async def client(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    total = 0
    for i in range(120):
        writer.write(json.dumps([i * j % 97 for j in range(number, number + 50)]).encode() + b"\n")
        await writer.drain()
        total += json.loads(await reader.readline())["sum"]
    writer.close()
    await writer.wait_closed()
    return total


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    totals = await asyncio.gather(*(client(port, number) for number in range(20)))
    loop = asyncio.get_running_loop()
    totals.append(await loop.run_in_executor(None, sum, range(100_000)))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    server.close()
    await server.wait_closed()
    print(totals, output, process.returncode)


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
