"""pytest, with its faulthandler, running the tests of a package."""

from __future__ import annotations

from case import pytest_case

CASE = pytest_case("-p", "no:xdist")
