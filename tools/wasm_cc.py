"""Compiles C sources to one WebAssembly module without an entry: what the web page runs.

    wasm_cc.py --check CLANG                       exit 0 if CLANG and its linker can
    wasm_cc.py CLANG OUT DEPFILE EXPORTS -- ARGS... SOURCES...

EXPORTS is a header: every function that it declares with the prefix `vmp_wasm_` is
exported. ARGS are compiler options (-I, -D). Objects lie beside OUT; DEPFILE gets
what they depend on, as make rules.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TARGET = ["--target=wasm32-wasi"]
# The size of the page is what counts, but for the views, which are asked for at each click.
QUICK = "report"  # the room of the views
COMPILE = ["-std=c11", "-D_GNU_SOURCE", "-fno-strict-aliasing"]
LTO = ["-flto"]
# What compilers make calls of by themselves is no part of the optimization over all files.
LIBC = "wasm_libc.c"
LIBC_ARGS = ["-fno-builtin", "-mbulk-memory"]
LINK = """
    -mexec-model=reactor -fuse-ld=lld -Oz -flto -Wl,--gc-sections -Wl,--strip-all
    -Wl,-z,stack-size=262144 -Wl,--max-memory=4294967296
""".split()


def check(clang: str) -> int:
    """Links a program that needs the C library and what compilers bring themselves."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("#include <stdlib.h>\nvoid *x(size_t n) { return malloc(n); }\n")
        out = str(Path(folder) / "probe.wasm")
        command = [clang, *TARGET, *LINK, "-Wl,--export=x", str(source), "-o", out]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode


def exports(header: Path) -> list[str]:
    """Names of the functions that the header declares."""
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    return sorted(set(re.findall(r"\b(vmp_wasm_\w+)\(", text)))


def main(argv: list[str]) -> int:
    if argv[0] == "--check":
        return check(argv[1])
    clang, out, depfile, header = argv[0], Path(argv[1]), Path(argv[2]), Path(argv[3])
    rest = argv[argv.index("--") + 1 :]
    sources = [Path(item) for item in rest if item.endswith(".c")]
    args = [item for item in rest if not item.endswith(".c")]
    folder = out.with_suffix(".p")
    folder.mkdir(parents=True, exist_ok=True)

    def compile(source: Path) -> tuple[int, Path]:
        target = folder / (source.stem + ".o")
        optimize = "-O2" if source.parent.name == QUICK else "-Os"
        own = LIBC_ARGS if source.name == LIBC else LTO
        command = [clang, *TARGET, optimize, *COMPILE, *own, *args, "-MMD", "-MT", out.name]
        return subprocess.call([*command, "-c", str(source), "-o", str(target)]), target

    with ThreadPoolExecutor(max_workers=2) as pool:
        done = list(pool.map(compile, sources))
    if any(status for status, _ in done):
        return 1
    objects = [str(target) for _, target in done]
    wanted = [f"-Wl,--export={name}" for name in exports(header)]
    status = subprocess.call([clang, *TARGET, *LINK, *wanted, *objects, "-o", str(out)])
    rules = "".join(target.with_suffix(".d").read_text() for _, target in done)
    depfile.write_text(rules.replace(f"{out.name}:", f"{out}:"))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
