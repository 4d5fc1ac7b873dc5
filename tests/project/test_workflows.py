"""What GitHub runs is what `make test` runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

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


def test_only_the_job_that_publishes_the_documentation_may_do_so_and_only_for_a_release() -> None:
    docs = workflow("docs.yml")
    (job,) = docs["jobs"].values()
    # YAML takes the key `on` for true.
    assert {"push": {"tags": ["[0-9]+.[0-9]+.[0-9]+"]}} in docs.values()
    assert job["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    for path in (ROOT / ".github" / "workflows").iterdir():
        assert workflow(path.name)["permissions"] == {"contents": "read"}
        for other in workflow(path.name)["jobs"].values():
            assert other == job or "permissions" not in other
    assert "make docs" in [step.get("run") for step in job["steps"]]
    assert {"path": ".docs"} in [step.get("with") for step in job["steps"]]
