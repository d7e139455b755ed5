"""Runs this interpreter under limits: `python limited.py NAME=VALUE... -- arguments...`."""

import os
import resource
import sys

end = sys.argv.index("--")
for word in sys.argv[1:end]:
    name, value = word.split("=")
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (int(value), int(value)))
os.execv(sys.executable, [sys.executable, *sys.argv[end + 1 :]])
