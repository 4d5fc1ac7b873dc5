"""Test what make's targets run and depend on, without running it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def commands(*arguments: str) -> str:
    """Return what make would run if nothing were installed or built."""
    run = subprocess.run(
        ["make", "--dry-run", "--always-make", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return run.stdout


def test_make_run_installs_only_octoprint_and_what_builds_a_wheel() -> None:
    found = commands("run", "OCTOPRINT=2.0.0rc7")
    installed = re.findall(r"-m pip install(?: --\S+)* (.*)$", found, re.MULTILINE)
    # The order depends on whether this OctoPrint is installed.
    assert sorted(installed) == ["-r tools/build-requirements.txt", "OctoPrint==2.0.0rc7", "dist/*.whl", "dist/*.whl"]
    assert (ROOT / "tools" / "build-requirements.txt").read_text().split("==")[0] == "build"
    assert "npm" not in found


@pytest.mark.parametrize(
    ("target", "has_everything"),
    [("test", False), ("test-all", True), ("test-e2e", True), ("release", True)],
)
def test_each_target_runs_the_tests_by_its_rules(target: str, has_everything: bool) -> None:
    lines = [line for line in commands(target).splitlines() if re.search(r"/pytest .*--numprocesses", line)]
    assert lines
    for line in lines:
        assert "--octoprint 1.11.8 --octoprint 2.0.0rc7" in line
        assert ("--everything" in line) is has_everything


@pytest.mark.parametrize("target", ["test-all", "release"])
def test_unit_tests_run_in_every_python_where_everything_runs(target: str) -> None:
    assert "tools/pythons python3 | xargs -n 1 -P 2 tools/test_units" in commands(target, "PYTHON=python3")
