"""Interrupts this Python thousands of times and checks every stack for sense.

Usage: PYTHON storm_live.py LIBRARY [SECONDS].  Prints TAP.  A signal handler
walks the busy threads at any instruction, so in the middle of calls, returns and
exceptions too.  Every caller and callee side by side in a stack must be a pair
that sys.setprofile saw call each other, and every stack must reach the bottom.
"""

import _thread
import ctypes
import faulthandler
import gc
import sys
import threading
import time

PERIOD_NS = 97000
EDGES = 1 << 14
COUNTS = ["walks", "errors", "unreadable", "dropped", "rootless", "empty", "lost"]
SECONDS = 2.0


class Finalized:
    def __init__(self, value):
        self.value = value
        self.loop = self

    def __del__(self):
        self.value = None


class Made:
    def __init__(self, depth):
        self.child = Made(depth - 1) if depth else None

    def __getattr__(self, name):
        if name == "missing":
            return self.child
        raise AttributeError(name)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return True


def recurse(n):
    if n <= 0:
        return 0
    return recurse(n - 1) + 1


def cells(a, b, c):
    def inner(x):
        return a + b + c + x

    return inner(1)


def generator(n):
    i = 0
    while i < n:
        yield i
        i += 1


def delegating(n):
    yield from generator(n)
    yield from (x for x in generator(n))


class Awaitable:
    def __await__(self):
        yield 1
        return 2


async def coroutine(n):
    total = 0
    for _ in range(n):
        total += await Awaitable()
    return total


async def outer_coroutine(n):
    return await coroutine(n)


def raising(n):
    if n == 0:
        raise KeyError(n)
    raising(n - 1)


def keyword(*args, a=1, **kwargs):
    return a


def sort_key(x):
    return -x


def drive(coro):
    try:
        while True:
            coro.send(None)
    except StopIteration:
        pass


def work():
    recurse(30)
    cells(1, 2, 3)
    sum(delegating(5))
    drive(outer_coroutine(3))
    made = Made(3)
    made.missing  # noqa: B018
    with made:
        raising(5)
    try:
        raising(3)
    except KeyError:
        keyword(1, 2, a=3, b=4)
    sorted(range(5), key=sort_key)
    list(map(sort_key, range(3)))
    [x for x in range(3)]
    {x: (lambda y: y)(x) for x in range(3)}
    exec("class A:\n  x = 1\n", {})
    Finalized(1)


def thread_main(lib, state, stop, done):
    lib.live_storm_off  # noqa: B018  (ctypes looks it up by Python code, once)
    lib.live_storm_on(state(), CODE_TYPE, id(sys._getframe().f_code), PERIOD_NS)
    while not stop:
        work()
    lib.live_storm_off()
    done.release()


CODE_TYPE = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "PyCode_Type"))


def legal_edges():
    """Pairs (caller, callee) of code objects, by their fields: exec makes new ones."""
    edges = set()
    codes = {}

    def profile(frame, event, arg):
        if event == "call" and frame.f_back:
            pair = (frame.f_back.f_code, frame.f_code)
            codes.update((id(code), code) for code in pair)
            edges.add((key_of(pair[0]), key_of(pair[1])))

    sys.setprofile(profile)
    try:
        for _ in range(50):
            work()
            gc.collect()
    finally:
        sys.setprofile(None)
    for code in list(codes.values()):
        codes[id(code)] = code
    # What the profile function cannot see: making a coroutine or a generator.
    edges.add((key_of(thread_main.__code__), key_of(work.__code__)))
    edges.update((key_of(work.__code__), key_of(f.__code__)) for f in (outer_coroutine, delegating))
    return edges, codes


def key_of(code):
    return (code.co_name, code.co_filename, code.co_firstlineno)


def name_reader(lib):
    buffers = [ctypes.create_string_buffer(8192) for _ in range(3)]

    def read(address):
        if lib.live_code(address, *buffers, 8192) < 0:
            return None
        line = (ctypes.c_uint32 * 5)()
        unknown = (ctypes.c_uint32 * 1)(0xFFFFFFFF)
        lib.live_positions(address, unknown, 1, line)
        return (buffers[0].value.decode(), buffers[2].value.decode(), line[0])

    return read


def main():
    lib = ctypes.CDLL(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    lib.live_error.restype = ctypes.c_char_p
    lib.live_open.argtypes = [ctypes.c_uint32, ctypes.c_int, ctypes.c_int, ctypes.c_uint64]
    lib.live_storm_on.argtypes = [ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_long]
    lib.live_code.argtypes = [ctypes.c_uint64] + 3 * [ctypes.c_char_p] + [ctypes.c_uint32]
    lib.live_positions.argtypes = [
        ctypes.c_uint64,
        ctypes.POINTER(ctypes.c_uint32),
        ctypes.c_uint32,
        ctypes.POINTER(ctypes.c_uint32),
    ]
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    if (
        lib.live_open(
            sys.hexversion,
            "free-threading" in sys.version,
            hasattr(sys, "gettotalrefcount"),
            runtime,
        )
        < 0
    ):
        raise SystemExit("Bail out! " + lib.live_error().decode())
    state = ctypes.PyDLL(None).PyThreadState_Get
    state.restype = ctypes.c_uint64
    edges, codes = legal_edges()
    if lib.live_guard(1) < 0:
        raise SystemExit("Bail out! " + lib.live_error().decode())
    stop, done = [], threading.Semaphore(0)
    for _ in range(2):
        _thread.start_new_thread(thread_main, (lib, state, stop, done))
    end = time.time() + seconds
    while time.time() < end:
        # While it is enabled, any fault of ours would be a reported crash.
        faulthandler.enable()
        time.sleep(0.05)
        gc.collect()
        faulthandler.disable()
        time.sleep(0.05)
    stop.append(1)
    for _ in range(2):
        done.acquire()
    counts = (ctypes.c_uint64 * len(COUNTS))()
    pairs = (ctypes.c_uint64 * (2 * EDGES))()
    lib.live_storm_result(counts, pairs)
    lib.live_guard(0)

    got = dict(zip(COUNTS, counts))
    read = name_reader(lib)
    known = {}
    files = {key[1] for pair in edges for key in pair}
    strange = set()
    gone = 0
    for caller, callee in zip(pairs[::2], pairs[1::2]):
        for address in (caller, callee):
            if address and address not in known:
                code = codes.get(address)
                known[address] = key_of(code) if code else read(address)
        if not caller or not callee:
            continue
        pair = (known[caller], known[callee])
        # What lies now where executed code lay may even read as strings: it is known by a
        # file that no living code has. That is rare: a walker that made frames up would
        # not pass as that.
        if pair[0] and pair[1] and not {pair[0][1], pair[1][1]} <= files:
            gone += 1
            continue
        # Finalizers run wherever the collector does; executed code may be gone.
        if None in pair or pair[1][0] == "__del__" or "<string>" in (pair[0][1], pair[1][1]):
            continue
        if pair not in edges:
            strange.add(pair)
    print("1..2")
    print("# " + ", ".join("%s %d" % item for item in got.items()))
    # 3.11 and 3.12 publish their top frame in steps, and one that may be rubbish is
    # not touched while faulthandler has the signals: see walk_tmpl.c.
    stepwise = sys.version_info[:2] in ((3, 11), (3, 12))
    allowed = got["walks"] / 1000 if stepwise else 0
    whole = (
        got["walks"] > 500 * seconds
        and not got["rootless"]
        and not got["lost"]
        and not got["empty"]
        and got["errors"] <= allowed
        and got["dropped"] <= allowed
    )
    print("%sok 1 - every stack is whole" % ("" if whole else "not "))
    for pair in list(strange)[:10]:
        print("# %r does not call %r" % pair)
    print("# %d pairs whose code is gone" % gone)
    wrong = bool(strange) or gone > 3
    print("%sok 2 - every caller calls its callee" % ("not " * wrong))
    return not whole or wrong


sys.exit(main())
