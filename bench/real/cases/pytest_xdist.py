"""pytest with its tests spread over two processes, which execnet starts anew."""

from __future__ import annotations

from case import pytest_case

CASE = pytest_case("-n", "2", unordered=True, cprofile=False)
