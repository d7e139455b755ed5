"""A handler of its own for SIGSEGV, as some runtimes have, that mends the fault."""

import ctypes
import mmap
import signal
import sys

libc = ctypes.CDLL(None)
page = mmap.mmap(-1, mmap.PAGESIZE)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
# mprotect(address, size, PROT_READ | PROT_WRITE) as the handler itself would need code of ours;
# a stub in machine code does it: mov rdi, address; mov esi, size; mov edx, 3; mov eax, 10;
# syscall; ret
if sys.maxsize < 2**33 or libc.syscall(39) <= 0:
    sys.exit(0)
code = (
    b"\x48\xbf"
    + address.to_bytes(8, "little")
    + b"\xbe"
    + mmap.PAGESIZE.to_bytes(4, "little")
    + b"\xba\x03\0\0\0\xb8\x0a\0\0\0\x0f\x05\xc3"
)
stub = mmap.mmap(-1, len(code), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
stub.write(code)
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal(signal.SIGSEGV, ctypes.addressof(ctypes.c_char.from_buffer(stub)))
total = 0
for _ in range(2000):
    libc.mprotect(address, mmap.PAGESIZE, 0)
    total += ctypes.c_ubyte.from_address(address).value
    for i in range(200):
        total += i * i % 3
print(total)
