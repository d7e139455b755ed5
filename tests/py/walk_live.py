"""Compares the C walker with sys._getframe, on the Python that runs this file.

Usage: PYTHON walk_live.py LIBRARY.  Prints TAP.  Runs on every Python from 3.8.
"""

import asyncio
import collections
import ctypes
import functools
import sys
import threading

UNKNOWN = 0xFFFFFFFF


class Frame(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint64), ("instr", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


def address(name):
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))


class Walker:
    def __init__(self, path):
        # PyDLL keeps the GIL, so that the thread's own state stays as it is.
        self.lib = lib = ctypes.PyDLL(path)
        lib.live_error.restype = ctypes.c_char_p
        lib.live_open.argtypes = [ctypes.c_uint32, ctypes.c_int, ctypes.c_int, ctypes.c_uint64]
        lib.live_walk.argtypes = [
            ctypes.c_int,
            ctypes.c_uint64,
            ctypes.c_uint64,
            ctypes.POINTER(Frame),
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint64),
        ]
        free_threaded = not getattr(sys, "_is_gil_enabled", lambda: True)()
        if "free-threading" in sys.version:
            free_threaded = True
        debug = hasattr(sys, "gettotalrefcount")
        rc = lib.live_open(sys.hexversion, free_threaded, debug, address("_PyRuntime"))
        if rc < 0:
            raise SystemExit("Bail out! " + lib.live_error().decode())
        self.code_type = address("PyCode_Type")
        get = ctypes.pythonapi.PyThreadState_Get
        get.restype = ctypes.c_uint64
        self.tstate = get

    def walk(self, guarded, cap=4096):
        """The stack of the caller, leaf first: (rc, [(code address, instr)], counts)."""
        frames = (Frame * cap)()
        counts = (ctypes.c_uint64 * 4)()
        rc = self.lib.live_walk(guarded, self.code_type, self.tstate(), frames, cap, counts)
        # Our own frame is the first.
        got = [(f.code, f.instr) for f in frames[1 : counts[0]]]
        return rc, got, list(counts)


def expected():
    """What sys._getframe says of the caller's stack."""
    frames = []
    frame = sys._getframe(1)
    while frame:
        frames.append((id(frame.f_code), frame.f_lasti, frame.f_code.co_name))
        frame = frame.f_back
    return frames


class Check:
    def __init__(self, walker):
        self.walker = walker
        self.problems = []
        self.seen = 0

    def here(self):
        """Called by the scenarios wherever a stack is worth a comparison."""
        for guarded in (0, 1):
            want, (rc, got, counts) = expected(), self.walker.walk(guarded)
            self.seen += 1
            if rc != 0 or counts[2] or counts[3]:
                self.problems.append("rc %d, counts %r" % (rc, counts))
            if [f[0] for f in got] != [f[0] for f in want]:
                names = {f[0]: f[2] for f in want}
                self.problems.append(
                    "frames %r, not %r"
                    % ([names.get(f[0], hex(f[0])) for f in got], [f[2] for f in want])
                )
                continue
            # The leaf (this function) has moved on between the two looks.
            for have, wish in list(zip(got, want))[1:]:
                if have[1] != (wish[1] if wish[1] >= 0 else UNKNOWN):
                    self.problems.append("instr %d of %s, not %d" % (have[1], wish[2], wish[1]))


def scenario_recursion(check):
    def down(n):
        if n:
            return down(n - 1) + 1
        check.here()
        return 0

    down(300)


def scenario_generators(check):
    def leaf():
        check.here()
        yield 1
        check.here()

    def middle():
        yield from leaf()
        for value in leaf():
            check.here()
            yield value

    assert list(middle()) == [1, 1]
    assert sum(x for x in middle()) == 2


def scenario_coroutines(check):
    async def leaf():
        check.here()
        await asyncio.sleep(0)
        check.here()
        return 1

    async def numbers():
        for _ in range(2):
            yield await leaf()

    async def middle():
        total = [n async for n in numbers()]
        return sum(total) + await leaf()

    async def main():
        return await asyncio.gather(middle(), middle())

    assert asyncio.run(main()) == [3, 3]


def scenario_class_bodies(check):
    class Outer:
        check.here()

        class Inner:
            check.here()

            def __init__(self, n):
                check.here()
                if n:
                    self.child = type(self)(n - 1)

        @property
        def value(self):
            check.here()
            return 1

        def __getattr__(self, name):
            check.here()
            return name

        def __getitem__(self, key):
            check.here()
            return key

        def __add__(self, other):
            check.here()
            return other

    # Often enough to make the interpreter specialize the calls.
    for _ in range(100):
        Outer.Inner(2)
        outer = Outer()
        assert outer.value == 1 and outer.other == "other" and outer[1] == 1 and outer + 2 == 2


def scenario_callbacks_from_c(check):
    def key(x):
        check.here()
        return x

    assert sorted([3, 1, 2], key=key) == [1, 2, 3]
    assert list(map(lambda x: (check.here(), x)[1], [1])) == [1]
    assert functools.reduce(lambda a, b: (check.here(), a + b)[1], [1, 2, 3]) == 6
    assert [(lambda y: (check.here(), y)[1])(x) for x in range(2)] == [0, 1]
    assert {x: check.here() for x in range(2)} == {0: None, 1: None}


def scenario_executed_code(check):
    exec("def f(check):\n    check.here()\nf(check)", {"check": check})
    eval("check.here()", {"check": check})
    exec(compile("class A:\n  check.here()", "\u00e9\u4e2d\U0001f40d.py", "exec"), {"check": check})


def scenario_exceptions_and_cells(check):
    def raises(a):
        def inner():
            return a

        try:
            raise ValueError(inner())
        except ValueError:
            check.here()
            with Manager():
                check.here()
        finally:
            check.here()

    class Manager:
        def __enter__(self):
            check.here()

        def __exit__(self, *args):
            check.here()

    for _ in range(30):
        raises(1)


def scenario_finalizers(check):
    class Finalized:
        def __del__(self):
            check.here()

    def make():
        return Finalized()

    make()
    things = collections.deque(make() for _ in range(3))
    things.clear()


def scenario_threads(check):
    def run(n):
        for _ in range(20):
            scenario_generators(check)
            check.here()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def scenario_tracing(check):
    def tracer(frame, event, arg):
        if depth[0] == 0:
            depth[0] = 1
            check.here()
            depth[0] = 0
        return tracer

    depth = [0]

    def traced(n):
        total = 0
        for i in range(n):
            total += i
        return total

    sys.settrace(tracer)
    try:
        traced(3)
    finally:
        sys.settrace(None)


def scenario_greenlets(check):
    """Stacks that swap their C frames; nothing to do where greenlet is missing."""
    try:
        import greenlet
    except ImportError:
        check.seen += 1
        return
    main = greenlet.getcurrent()

    def leaf(n):
        check.here()
        other = inner.switch() if inner else None
        check.here()
        return other

    def run(n):
        for _ in range(3):
            leaf(n)
            main.switch(n)
            check.here()
        return sorted([n], key=lambda x: (leaf(x), x)[1])

    inner = None
    one, two = greenlet.greenlet(run), greenlet.greenlet(run)
    inner_one = greenlet.greenlet(lambda: [inner_one.parent.switch() for _ in range(50)])
    for _ in range(3):
        one.switch(1)
        check.here()
        two.switch(2)
        check.here()
        inner_one.switch()
        check.here()
    one.switch()
    two.switch()
    check.here()


def scenario_subinterpreters(check):
    """A thread that runs another interpreter has another thread state there."""
    interpreters = None
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            interpreters = __import__(name)
            break
        except ImportError:
            continue
    check.seen += 1
    if interpreters is None:
        return
    code = """
def outer(n):
    return inner(n) if n else None
def inner(n):
    import os
    os.write(PIPE, ("%d " % n).encode())
    return outer(n - 1)
outer(3)
"""
    import os

    read, write = os.pipe()
    interp = interpreters.create()
    before = check.walker.walk(1)
    interpreters.run_string(interp, "PIPE = %d\n" % write + code)
    after = check.walker.walk(1)
    interpreters.destroy(interp)
    os.close(write)
    if os.read(read, 100) != b"3 2 1 ":
        check.problems.append("the interpreter did not run")
    os.close(read)
    # Our own state is as it was; only the place in this function has moved.
    if [f[0] for f in before[1]] != [f[0] for f in after[1]] or before[0] or after[0]:
        check.problems.append("the stack differs after a sub-interpreter ran")
    check.here()


def scenario_small_buffers(check):
    """The middle is left out, and both ends are right."""

    def down(n):
        if n:
            return down(n - 1)
        want = [f[0] for f in expected()]
        for cap in (2, 3, 7, 64, 101):
            for guarded in (0, 1):
                rc, got, counts = check.walker.walk(guarded, cap)
                got = [f[0] for f in got]
                full = want
                check.seen += 1
                # One of the leaf-most part is the frame of walk() itself.
                leaf = cap - cap // 2 - 1
                root = cap // 2
                if rc or counts[0] != cap or counts[1] != leaf + 1:
                    check.problems.append("cap %d: rc %d, counts %r" % (cap, rc, counts))
                if counts[2] != len(full) + 1 - cap:
                    check.problems.append("cap %d: %d elided" % (cap, counts[2]))
                if got != full[:leaf] + full[len(full) - root :]:
                    check.problems.append("cap %d: the ends differ" % cap)
        return 0

    down(200)


def scenario_bad_states(check):
    """Wild thread states end in an error, not in a crash."""
    for tstate in (0, 1, 8, 4096, 2**40, 2**47 + 8, 2**63, 2**64 - 8):
        for guarded in (0, 1):
            frames, counts = (Frame * 8)(), (ctypes.c_uint64 * 4)()
            rc = check.walker.lib.live_walk(guarded, 0, tstate, frames, 8, counts)
            check.seen += 1
            if rc >= 0 or counts[0]:
                check.problems.append("tstate %x: rc %d, %d frames" % (tstate, rc, counts[0]))


def main():
    walker = Walker(sys.argv[1])
    if walker.lib.live_guard(1) < 0:
        raise SystemExit("Bail out! " + walker.lib.live_error().decode())
    scenarios = sorted(name for name in globals() if name.startswith("scenario_"))
    print("1..%d" % len(scenarios))
    bad = 0
    for number, name in enumerate(scenarios, 1):
        check = Check(walker)
        globals()[name](check)
        if not check.seen:
            check.problems.append("nothing was compared")
        for problem in check.problems[:5]:
            print("# " + problem)
        bad += bool(check.problems)
        print(
            "%sok %d - %s (%d stacks)"
            % ("not " if check.problems else "", number, name[9:].replace("_", " "), check.seen)
        )
    walker.lib.live_guard(0)
    return bad != 0


sys.exit(main())
