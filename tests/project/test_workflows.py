"""What GitHub runs is what `make test-all` runs."""

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


def test_the_versions_of_octoprint_are_those_of_the_makefile_and_at_night_one_more() -> None:
    (versions,) = re.findall(r"^OCTOPRINTS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    (default,) = re.findall(r"'(.*)'", workflow("ci.yml")["jobs"]["e2e"]["strategy"]["matrix"]["octoprint"])
    assert json.loads(default) == versions.split()
    nightly = workflow("nightly.yml")["jobs"]
    assert json.loads(nightly["all"]["with"]["octoprints"]) == [*versions.split(), "dev"]
    assert nightly["machine"]["strategy"]["matrix"]["octoprint"] == versions.split()


def test_the_versions_of_python_are_those_that_tools_pythons_looks_for() -> None:
    (versions,) = re.findall(r"^for version in (.*); do$", (ROOT / "tools/pythons").read_text(), re.MULTILINE)
    assert workflow("ci.yml")["jobs"]["units"]["strategy"]["matrix"]["python"] == versions.split()


PUBLISHING = {
    "docs.yml": (["[0-9]+.[0-9]+.[0-9]+"], {"contents": "read", "pages": "write", "id-token": "write"}),
    "release.yml": (["[0-9]+.[0-9]+.[0-9]+", "[0-9]+.[0-9]+.[0-9]+rc[0-9]+"], {"contents": "write"}),
}


def test_only_what_publishes_a_tag_may_write_anything() -> None:
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
def test_they_publish_what_make_makes(name: str, steps: list[str]) -> None:
    (job,) = workflow(name)["jobs"].values()
    runs = [step.get("run") for step in job["steps"]]
    assert [run for run in runs if run in steps] == steps


def test_the_site_is_what_make_docs_leaves() -> None:
    assert {"path": ".docs"} in [step.get("with") for step in workflow("docs.yml")["jobs"]["publish"]["steps"]]
