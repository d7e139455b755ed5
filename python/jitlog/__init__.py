"""The log of PyPy's JIT.

pypy3 -m jitlog -o LOG program.py   record one
python -m jitlog -i LOG             show it, under any Python; `vmprof jit LOG` does more
"""
