"""numpy and pandas: linear algebra with its threads, grouping, joining, text."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "numpy_pandas.py"),))
