"""pytest without its faulthandler."""

from __future__ import annotations

from case import pytest_case

CASE = pytest_case("-p", "no:faulthandler", "-p", "no:xdist")
