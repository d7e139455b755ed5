"""A process with stacks that it describes itself, then stops.

Run by record_images.py: PYTHON -c 'exec(compile(...this file...))'.  Prints, in
the form that image_tool.c reads, where its interpreter lies and what
sys._getframe says of each thread, and then stops itself by SIGSTOP.  No frame is
the standard library's, so that nothing depends on where that is installed.
"""

import _thread
import ctypes
import functools
import os
import signal
import sys
import sysconfig

try:
    from _thread import get_native_id
except ImportError:

    def get_native_id():
        return 0


LINES = []


def address(name):
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name))


def position_of(code, lasti):
    """Line, end line, column, end column; -1 for none."""
    if hasattr(code, "co_positions") and lasti >= 0:
        return [-1 if x is None else x for x in list(code.co_positions())[lasti // 2]]
    return None


def describe(frame, leaf_line):
    """One line for each frame, leaf first. leaf_line: where the leaf will be."""
    get = ctypes.pythonapi.PyThreadState_Get
    get.restype = ctypes.c_uint64
    LINES.append("thread 0x%x %d %d" % (get(), _thread.get_ident(), get_native_id()))
    leaf = True
    while frame:
        code = frame.f_code
        line, end_line, col, end_col = frame.f_lineno, -1, -1, -1
        position = position_of(code, frame.f_lasti)
        if position:
            line, end_line, col, end_col = position[0], position[1], position[2], position[3]
        if leaf:
            line, end_line, col, end_col = leaf_line, -1, -1, -1
        fields = [
            code.co_name,
            getattr(code, "co_qualname", code.co_name),
            code.co_filename,
            "*" if leaf else str(frame.f_lasti),
            str(code.co_firstlineno),
            str(line),
            str(end_line),
            str(col),
            str(end_col),
        ]
        LINES.append("frame " + "\t".join(fields))
        leaf = False
        frame = frame.f_back


def stop():
    describe(sys._getframe(), sys._getframe().f_lineno + 3)
    text = "\n".join(LINES) + "\nend\n"
    os.write(1, text.encode("utf-8"))
    os.kill(os.getpid(), signal.SIGSTOP)


def recurse(n):
    return recurse(n - 1) if n else stop()


def through_callbacks():
    def key(item):
        return recurse(item) or 0

    return sorted([20], key=key)


class Meta(type):
    def __call__(cls, *args):
        return super().__call__(*args)


class Warm:
    """Made often, so that the interpreter inlines the call of __init__."""

    def __init__(self, action):
        self.value = action()

    def __getattr__(self, name):
        return through_callbacks()

    @property
    def prop(self):
        return self.missing


def make_warm(action):
    return Warm(action)


def inner_generator(action):
    before = 1
    yield before
    yield action()


def outer_generator(action):
    free = action

    def closure():
        return free()

    yield from inner_generator(closure)


class Awaitable:
    def __init__(self, action):
        self.action = action

    def __await__(self):
        yield self.action()


async def inner_coroutine(action):
    await Awaitable(action)


async def outer_coroutine(action):
    async with Context():
        await inner_coroutine(action)


class Context:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *args):
        return False


def drive(coroutine):
    try:
        coroutine.send(None)
    except StopIteration:
        pass


EXECUTED = """
def \u0437\u043c\u0435\u044f(action):  # two bytes a character
    return [action() for _ in range(1)]


class \U0001d4d2(metaclass=Meta):  # four bytes
    def __init__(self, action):
        \u0437\u043c\u0435\u044f(action)


class Body:
    \U0001d4d2(ACTION)
"""


def executed(action):
    exec(compile(EXECUTED, "caf\xe9 \U0001f40d.py", "exec"), {"ACTION": action, "Meta": Meta})


def other_thread(lock):
    def wait():
        describe(sys._getframe(), sys._getframe().f_lineno + 2)
        ready.release()
        lock.acquire()

    ready = READY
    list(map(lambda _: next(outer_generator_for_thread(wait)), [0]))


def outer_generator_for_thread(action):
    yield action()


READY = _thread.allocate_lock()


def main():
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    LINES.append("python " + sys.version.split()[0])
    LINES.append("version_hex 0x%08x" % sys.hexversion)
    LINES.append("free_threaded %d" % free_threaded)
    LINES.append("runtime 0x%x" % address("_PyRuntime"))
    LINES.append("code_type 0x%x" % address("PyCode_Type"))
    for _ in range(300):
        make_warm(lambda: 1)
    lock = _thread.allocate_lock()
    lock.acquire()
    READY.acquire()
    _thread.start_new_thread(other_thread, (lock,))
    READY.acquire()
    functools.reduce(
        lambda a, b: executed(
            lambda: drive(
                outer_coroutine(
                    lambda: make_warm(
                        lambda: list(outer_generator(lambda: make_warm(lambda: 0).prop))
                    )
                )
            )
        ),
        [1, 2],
    )


main()
