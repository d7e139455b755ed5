"""`read_profile`, `Stats` and `Node`, over logs of known content and lists."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import logfile  # noqa: E402

MS = 1_000_000


def sample_log(mode: int = 0) -> logfile.Log:
    """<module> calls main 9 times in 10; main calls foo 4 and bar 3 times; foo calls itself.

    A second thread runs `run`, which is therefore below <module> in the tree.
    """
    log = logfile.Log(mode=mode, interval_ns=10 * MS)
    log.meta(argv="prog.py\nan arg", implementation="CPython", python="3.11.7", os="linux")
    module = log.code("<module>", "/srv/prog.py", 1)
    main = log.code("main", "/srv/prog.py", 3)
    foo = log.code("foo", "/srv/prog.py", 10, "Class.foo")
    bar = log.code("bar", "/srv/C:/odd.py", 20)
    run = log.code("run", "/lib/threading.py", 900)
    top, calls = log.at(module, 30), log.at(main, 4)
    in_main = log.stack([top, log.at(main, 5)])
    in_foo = log.stack([top, calls, log.at(foo, 11)])
    deeper = log.stack([top, calls, log.at(foo, 12), log.at(foo, 11)])
    in_bar = log.stack([top, calls, log.elided(7), log.at(bar, 21)])
    in_run = log.stack([log.at(run, 901)])
    log.thread(1, 100, "MainThread", ident=77)
    log.thread(2, 101, "other", ident=78)
    stacks = [in_main, in_main, in_foo, in_foo, in_foo, deeper, in_bar, in_bar, in_bar, 0]
    rss = bool(mode & logfile.MEMORY)
    rows = [(10 * MS * (i + 1), stacks[i % 10], 1 + (i == 0), 2000 + i) for i in range(100)]
    log.samples(1, rows, rss=rss)
    log.samples(2, [(10 * MS * i, in_run, 1, 3000) for i in range(1, 21)], rss=rss)
    log.loss("ring_full", 4)
    log.clock(1500 * MS, 1300 * MS)
    log.end(1500 * MS)
    return log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(sample_log().data())
    return path


@pytest.fixture
def stats(vmprof_stats: ModuleType, path: Path) -> Any:
    return vmprof_stats.read_profile(path)


def test_figures_of_the_run(stats: Any) -> None:
    assert stats.n_samples == 120
    assert stats.expected_samples == 121.0  # the first sample stands for two periods
    assert stats.get_lost_fraction() == pytest.approx(1 - 120 / 121)
    assert stats.lost_time == pytest.approx(0.04)
    assert stats.get_runtime_in_microseconds() == 1_500_000
    assert stats.start_time.timestamp() == logfile.START_UNIX_NS / 1e9
    assert stats.interp == "cpython"
    assert stats.getargv() == "prog.py 'an arg'"
    assert stats.getmeta("os", "?") == "linux" and stats.getmeta("nothing", 5) == 5
    assert not stats.profile_lines and not stats.profile_memory


def test_functions(stats: Any) -> None:
    top = dict(stats.top_profile())
    assert top == {
        "py:<module>:1:/srv/prog.py": 91.0,
        "py:main:3:/srv/prog.py": 91.0,
        "py:foo:10:/srv/prog.py": 40.0,
        "py:bar:20:/srv/C:/odd.py": 30.0,
        "py:run:900:/lib/threading.py": 20.0,
    }
    assert {stats.adr_dict[addr]: count for addr, count in stats.functions.items()} == top
    assert all(type(count) is float for count in stats.functions.values())
    (bar,) = stats.find_addrs_containing_name("bar")
    assert stats.get_addr_info(bar) == ("py", "bar", "20", "/srv/C:/odd.py")
    assert stats.get_name(bar) == "bar"
    assert stats.get_addr_info(12345) is None and stats.get_name(12345) == "unknown"


def test_what_runs_below_a_function(stats: Any) -> None:
    (main,) = stats.find_addrs_containing_name("main")
    below, total = stats.function_profile(main)
    assert [(stats.get_name(addr), count) for addr, count in below] == [
        ("bar", 30.0),
        ("foo", 40.0),
    ]
    assert total == 91.0
    (foo,) = stats.find_addrs_containing_name("foo")
    assert stats.function_profile(foo) == ([(foo, 10.0)], 40.0)  # it called itself
    assert stats.function_profile(987654) == ([], 0.0)


def test_tree(stats: Any) -> None:
    tree = stats.get_tree()
    assert tree.name == "py:<module>:1:/srv/prog.py" and tree.count == 121.0
    main = tree["main"]
    assert [child.name.split(":")[1] for child in main.children.values()] == ["foo", "bar"]
    assert (main.count, main.self_count) == (91.0, 21.0)
    assert (main["foo"].count, main["foo"].self_count, main["foo"].children) == (40.0, 40.0, {})
    assert main["foo"].lines == {11: 40.0, 12: 10.0}
    assert main.lines == {4: 70.0, 5: 21.0}
    assert tree["run"].count == 20.0  # another thread: below the first root
    assert tree.self_count == 121 - 91 - 20
    assert tree[main.addr] is main and tree[""] is main
    assert repr(main) == (
        "<Node: py:main:3:/srv/prog.py (91) "
        "[(40, py:foo:10:/srv/prog.py), (30, py:bar:20:/srv/C:/odd.py)]>"
    )
    for missing in ("nothing", 5):
        with pytest.raises(KeyError):
            tree[missing]


@pytest.mark.parametrize("mode", [0, logfile.LINES, logfile.LINES | logfile.MEMORY])
def test_profiles(vmprof_stats: ModuleType, path: Path, mode: int) -> None:
    path.write_bytes(sample_log(mode).data())
    stats = vmprof_stats.read_profile(str(path))
    path.unlink()  # it is open
    assert len(stats.profiles) == 120
    trace, count, thread, memory = stats.profiles[6]
    assert stats.display(6) == [
        "py:<module>:1:/srv/prog.py",
        "py:main:3:/srv/prog.py",
        "py:bar:20:/srv/C:/odd.py",
    ]
    assert (count, thread, memory) == (1.0, 77, 2006 if mode & logfile.MEMORY else 0)
    lines = [-entry for entry in trace if entry <= 0]
    assert lines == ([30, 4, 21] if mode & logfile.LINES else [])
    assert trace[0] > 0 and stats.profile_lines == bool(mode & logfile.LINES)
    assert stats.profiles[9][0] == [] and stats.profiles[119][2] == 78
    assert stats.profiles[0][1] == 2.0


@pytest.mark.parametrize("mode", [0, logfile.LINES])
def test_lists_give_what_c_gives(vmprof_stats: ModuleType, path: Path, mode: int) -> None:
    path.write_bytes(sample_log(mode).data())
    stats = vmprof_stats.read_profile(path)
    lists = vmprof_stats.Stats(stats.profiles, stats.adr_dict)
    assert lists.get_tree() == stats.get_tree()
    assert lists.functions == stats.functions
    assert lists.expected_samples == stats.expected_samples
    for addr in stats.functions:
        below, total = stats.function_profile(addr)
        assert (dict(below), total) == (
            dict(lists.function_profile(addr)[0]),
            lists.function_profile(addr)[1],
        )
    if mode & logfile.LINES:
        ours: list[Any] = []
        theirs: list[Any] = []
        stats.get_tree().walk(lambda node: ours.append(node.lines))
        lists.get_tree().walk(lambda node: theirs.append(node.lines))
        assert ours == theirs


def test_sources_of_a_log(vmprof_stats: ModuleType, path: Path) -> None:
    data = path.read_bytes()
    want = vmprof_stats.read_profile(path).get_tree()
    zipped = path.with_name("zipped")
    zipped.write_bytes(gzip.compress(data))
    for source in (str(path), zipped, io.BytesIO(data), io.BytesIO(gzip.compress(data))):
        stats = vmprof_stats.read_profile(source)
        assert stats.get_tree() == want
        assert len(stats.profiles) == 120
    with open(path, "rb") as file:
        stats = vmprof_stats.read_profile(file)
    assert len(stats.profiles) == 120
    read_end, write_end = os.pipe()
    os.write(write_end, data)
    os.close(write_end)
    assert len(vmprof_stats.read_profile(f"/dev/fd/{read_end}").profiles) == 120
    os.close(read_end)


def test_bad_sources(vmprof_stats: ModuleType, tmp_path: Path) -> None:
    read = vmprof_stats.read_profile
    cases = {"empty": b"", "png": b"\x89PNG\r\n\x1a\n" + bytes(50), "zip": b"\x1f\x8b broken"}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError):
            read(tmp_path / name)
        with pytest.raises(ValueError):
            read(io.BytesIO(data))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing")
    with pytest.raises(OSError):
        read(tmp_path)
    with pytest.raises(TypeError, match="binary"):
        read(io.StringIO("text"))
    for gap in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="max_sample_gap"):
            read(io.BytesIO(sample_log().data()), max_sample_gap=gap)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(ValueError):
            read(tmp_path / "png")
        with pytest.raises(OSError):
            read(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_cut_log_is_read_to_the_cut(vmprof_stats: ModuleType) -> None:
    log = sample_log()
    log.flush()
    module = log.code("late", "/srv/late.py", 1)
    log.samples(1, [(9_000_000_000, log.stack([log.at(module, 1)]))])
    stats = vmprof_stats.read_profile(io.BytesIO(log.data()[:-3]))
    assert stats.n_samples == 120 and "main" in stats.get_tree()["main"].name


def test_no_sample_with_a_frame(vmprof_stats: ModuleType) -> None:
    log = logfile.Log()
    log.thread(1, 7)
    log.samples(1, [(MS, 0), (2 * MS, 0)])
    stats = vmprof_stats.read_profile(io.BytesIO(log.data()))
    with pytest.raises(vmprof_stats.EmptyProfileFile):
        stats.get_tree()
    assert stats.n_samples == 2 and stats.functions == {} and stats.top_profile() == []
    with pytest.raises(vmprof_stats.EmptyProfileFile):
        vmprof_stats.Stats([]).get_tree()
    assert vmprof_stats.Stats([]).get_lost_fraction() == 0.0


# ------------------------------------------------------- lists, as old programs have them


def test_tree_of_lists(vmprof_stats: ModuleType) -> None:
    node, names = vmprof_stats.Node, {1: "foo", 2: "bar"}
    tree = vmprof_stats.Stats([([1, 2], 1, 1), ([1, 2], 1, 1)], names).get_tree()
    assert tree == node(1, "foo", 2, {2: node(2, "bar", 2)})
    assert repr(tree) == "<Node: foo (2) [(2, bar)]>"
    assert tree != node(1, "foo", 2, {2: node(2, "bar", 1)})
    assert tree != node(1, "foo", 2) and tree != "foo"
    half = vmprof_stats.Stats([([1, 2], 1.5, 1)], names).get_tree()
    assert repr(half) == "<Node: foo (1.5) [(1.5, bar)]>"


def test_kinds_of_entries(vmprof_stats: ModuleType) -> None:
    jitted, native = vmprof_stats.JittedCode, vmprof_stats.NativeCode
    names = {1: "py:main:1:a.py", 2: "py:hot:9:a.py", 5: "n:memcpy:0:libc.so"}
    profiles = [
        ([1, vmprof_stats.AssemblerCode(99), jitted(2)], 1, 0, 0),
        ([1, 2], 1, 0, 0),
        ([1, -3, 2, -10], 1, 0, 0),
        ([1, 2, native(5)], 4, 0, 0),
    ]
    stats = vmprof_stats.Stats(profiles, names)
    tree = stats.get_tree()
    assert tree.lines == {3: 1} and tree["hot"].lines == {10: 1}
    assert tree["hot"].meta == {"jit": 1} and tree["hot"].meta["nothing"] == 0
    assert tree["hot"]["memcpy"].meta == {"native": 4}
    assert tree.cumulative_meta() == {"jit": 1, "native": 4}
    assert stats.functions == {1: 7, 2: 7, 5: 4} and stats.interp == "pypy"
    assert all(issubclass(kind, int) for kind in (jitted, native, vmprof_stats.AssemblerCode))


def test_the_tree_begins_at_the_programs_module(vmprof_stats: ModuleType) -> None:
    names = {
        1: "py:<module>:1:/lib/vmprof/__main__.py",
        2: "py:run_path:1:/lib/runpy.py",
        3: "py:<module>:1:prog.py",
        4: "py:other:1:thread.py",
    }
    profiles = [([1, 2, 3], 1, 1), ([1, 2, 3], 1, 1), ([1, 4], 1, 1), ([], 1, 1)]
    assert vmprof_stats.Stats(profiles, names).get_tree().name == "py:<module>:1:prog.py"
    profiles.append(([4], 9, 2))
    assert vmprof_stats.Stats(profiles, names).get_tree().addr == 1


def test_flatten(vmprof_stats: ModuleType) -> None:
    node = vmprof_stats.Node
    tree = node(1, "py:main:1:a.py", 20)
    tree.lines[4] = 20
    gc = tree.add_child(2, "gc:minor", 3)
    gc.add_child(3, "py:finalizer:1:a.py", 1)
    call = tree.add_child(5, "n:call:0:libpython.so", 10)
    call.add_child(7, "py:back:1:a.py", 6).add_child(9, "n:memcpy:0:libc.so", 2).meta["native"] = 2
    call.meta["native"] = 4
    call.add_child(1, "py:main:1:a.py", 2)  # called itself through native code
    tree.add_child(7, "py:back:1:a.py", 5)
    flat = tree.flatten()
    assert flat.flat and not tree.flat
    assert flat.meta == {"gc:minor": 2, "native": 4}
    assert sorted(flat.children) == [3, 7]
    assert flat[7].count == 11 and flat[7].meta == {"native": 2} and flat[7].flat
    assert flat.count == 20 and flat.self_count == 20 - 11 - 1
    assert flat.lines == {4: 20}
    assert tree._rec_count() == 8 and flat._rec_count() == 3
    assert flat.cumulative_meta() == {"gc:minor": 2, "native": 6}
    assert flat.flatten() == flat


def test_json_of_a_tree(vmprof_stats: ModuleType, stats: Any) -> None:
    for tree in (stats.get_tree(), vmprof_stats.Node(1, 'a "b"', 2)):
        assert json.loads(tree.as_json()) == tree._serialize()
    name, addr, count, meta, children = stats.get_tree()._serialize()
    assert (name, count, meta, len(children)) == ("py:<module>:1:/srv/prog.py", 121.0, {}, 2)
    assert isinstance(addr, str)


def test_a_deep_tree_needs_no_recursion(vmprof_stats: ModuleType) -> None:
    depth = 20000
    log = logfile.Log()
    codes = [log.code(f"f{i}", "a.py", i) for i in range(2)]
    frames = [log.at(code, 1) for code in codes]
    log.thread(1, 7)
    log.samples(1, [(MS, log.stack(frames[i % 2] for i in range(depth)))])
    stats = vmprof_stats.read_profile(io.BytesIO(log.data()))
    tree = stats.get_tree()
    assert tree._rec_count() == depth
    assert tree == vmprof_stats.Stats(stats.profiles, stats.adr_dict).get_tree()
    assert tree.flatten() == tree
    assert tree.cumulative_meta() == {}
    assert tree.as_json().count("[") == 2 * depth
    assert tree._serialize()[2] == 1.0
    seen: list[Any] = []
    tree.walk(seen.append)
    assert len(seen) == depth
    assert repr(tree)
    del seen, tree  # also needs no recursion


# ------------------------------------------------------------------- every interpreter


def test_on_every_interpreter(python: Any, path: Path) -> None:
    done = python.run(
        [
            "-c",
            "import sys, vmprof\n"
            "from vmprof.stats import Stats, Node\n"
            "from vmprof.profiler import Profiler, read_profile\n"
            "assert read_profile is vmprof.read_profile\n"
            "from vmprof.reader import NativeCode, JittedCode, AssemblerCode\n"
            "stats = vmprof.read_profile(sys.argv[1])\n"
            "assert isinstance(stats, Stats) and isinstance(stats.get_tree(), Node)\n"
            "print(stats.get_tree()['main'], len(stats.profiles))\n"
            "if hasattr(sys, '_is_gil_enabled'): assert sys._is_gil_enabled() is not "
            f"{python.free_threaded}\n",
            str(path),
        ]
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<Node: py:main:3:/srv/prog.py (91) [(40, py:foo:10")
    assert done.stdout.endswith(" 120\n") and done.stderr == ""


def test_nothing_that_reads_is_loaded_before_it_is_asked_for(python: Any) -> None:
    done = python.run(["-c", "import sys, vmprof; print(*sys.modules)"])
    loaded = set(done.stdout.split())
    assert "vmprof" in loaded and not loaded & {"vmprof._view", "vmprof.stats", "json", "datetime"}


def test_the_old_name_of_the_command(python: Any, path: Path) -> None:
    done = python.run(["-m", "vmprof.show", str(path), "flat", "--json"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["view"] == "flat"
    assert python.run(["-m", "vmprof.show"]).returncode == 2
