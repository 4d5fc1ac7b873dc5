"""Check that GitHub runs the same tests as `make test-all`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    return found


def test_octoprint_versions_are_the_makefiles_and_dev_at_night() -> None:
    (versions,) = re.findall(r"^OCTOPRINTS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    (default,) = re.findall(r"'(.*)'", workflow("ci.yml")["jobs"]["e2e"]["strategy"]["matrix"]["octoprint"])
    assert json.loads(default) == versions.split()
    nightly = workflow("nightly.yml")["jobs"]
    assert json.loads(nightly["all"]["with"]["octoprints"]) == [*versions.split(), "dev"]
    assert nightly["machine"]["strategy"]["matrix"]["octoprint"] == versions.split()


def test_python_versions_are_those_of_tools_pythons() -> None:
    (versions,) = re.findall(r"^for version in (.*); do$", (ROOT / "tools/pythons").read_text(), re.MULTILINE)
    assert workflow("ci.yml")["jobs"]["units"]["strategy"]["matrix"]["python"] == versions.split()


def test_ci_runs_everything_in_each_octoprint() -> None:
    steps = workflow("ci.yml")["jobs"]["e2e"]["steps"]
    assert [step["run"] for step in steps if "make" in step.get("run", "")] == [
        "make --jobs 3 test-js-${{ matrix.octoprint }} test-e2e OCTOPRINTS=${{ matrix.octoprint }}"
    ]
    assert workflow("nightly.yml")["jobs"]["all"]["uses"] == "./.github/workflows/ci.yml"


PUBLISHING = {
    "docs.yml": (["[0-9]+.[0-9]+.[0-9]+"], {"contents": "read", "pages": "write", "id-token": "write"}),
    "release.yml": (["[0-9]+.[0-9]+.[0-9]+", "[0-9]+.[0-9]+.[0-9]+rc[0-9]+"], {"contents": "write"}),
}


def test_only_workflows_that_publish_may_write() -> None:
    for path in (ROOT / ".github" / "workflows").iterdir():
        found = workflow(path.name)
        assert found["permissions"] == {"contents": "read"}
        may_write = [job for job in found["jobs"].values() if "permissions" in job]
        if path.name in PUBLISHING:
            tags, permissions = PUBLISHING[path.name]
            assert {"push": {"tags": tags}} in found.values()  # YAML takes the key `on` for true
            assert [job["permissions"] for job in may_write] == [permissions]
        else:
            assert may_write == []


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("docs.yml", ["make docs"]),
        ("release.yml", ['make release VERSION="$VERSION"', 'make publish VERSION="$VERSION"']),
    ],
)
def test_workflows_publish_with_make(name: str, steps: list[str]) -> None:
    (job,) = workflow(name)["jobs"].values()
    runs = [step.get("run") for step in job["steps"]]
    assert [run for run in runs if run in steps] == steps


def test_published_site_is_the_output_of_make_docs() -> None:
    assert {"path": ".docs"} in [step.get("with") for step in workflow("docs.yml")["jobs"]["publish"]["steps"]]
