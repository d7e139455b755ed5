"""The process ends under the feet of busy threads."""

import os
import threading


def burn():
    while True:
        sum(range(1000))


for _ in range(5):
    threading.Thread(target=burn).start()
sum(range(10**6))
print("x", flush=True)
os._exit(11)
