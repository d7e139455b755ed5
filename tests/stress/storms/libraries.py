"""Libraries loaded and unloaded."""

import _ctypes
import ctypes
import os
import shutil
import tempfile

src = None
for line in open("/proc/self/maps"):
    p = line.split()[-1]
    if "libm." in p or "libm-" in p:
        src = os.path.realpath(p)
src = src or ctypes.util.find_library("m")
d = tempfile.mkdtemp()
n = 0
for i in range(150):
    dst = os.path.join(d, f"libm_{i % 7}.so")
    if not os.path.exists(dst):
        shutil.copy(src, dst)
    lib = ctypes.CDLL(dst)
    lib.cos.restype = ctypes.c_double
    lib.cos.argtypes = [ctypes.c_double]
    for _ in range(50):
        n += lib.cos(0.0)
    h = lib._handle
    del lib
    _ctypes.dlclose(h)
shutil.rmtree(d)
print(n)
