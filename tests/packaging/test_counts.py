"""The last line of `make test` tells the truth about what ran."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import check_sigsafe  # noqa: E402
import run_tests  # noqa: E402

JUNIT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="also good"/>
<testcase classname="a" name="bad"><failure>why</failure></testcase>
<testcase classname="a" name="broken"><error>why</error></testcase>
<testcase classname="a" name="left out"><skipped/></testcase>
</testsuite></testsuites>"""


def test_failures_errors_and_skips_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT)
    counts = run_tests.read_junit(path)
    assert str(counts) == "2 passed, 2 failed, 1 skipped"
    assert counts.notes == ["a bad", "a broken"]


def test_a_part_that_left_no_results_is_a_failure(tmp_path: Path) -> None:
    assert str(run_tests.read_junit(tmp_path / "none.xml")) == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (run_tests.Counts(passed=3, skipped=1), 0),
        (run_tests.Counts(passed=3, failed=1), 1),
        (run_tests.Counts(skipped=5), 1),
        (run_tests.Counts(), 1),
    ],
)
def test_status_is_good_only_if_something_passed_and_nothing_failed(
    counts: run_tests.Counts,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(run_tests, "PARTS", {"c": lambda: counts})
    monkeypatch.setattr(run_tests, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sys, "argv", ["run_tests.py"])
    assert run_tests.main() == status
    assert capsys.readouterr().out.splitlines()[-1] == str(counts)


def test_symbol_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "allowed.txt"
    path.write_text("# why\nread  POSIX\nmalloc\n")
    with pytest.raises(SystemExit, match="no reason for malloc"):
        check_sigsafe.read_allowed(path)
    path.write_text("read  POSIX\n")
    assert check_sigsafe.read_allowed(path) == {"read": "POSIX"}


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/packaging.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_readme_names_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text())) - {"git"}
    assert named >= {"demo", "test", "build"}
    assert [name for name in named if f"\n{name}:" not in makefile] == []
