"""Test the contents of the wheel and the sdist."""

from __future__ import annotations

import ast
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from release import heading

ROOT = Path(__file__).resolve().parents[2]
DATA = {
    path.relative_to(ROOT).as_posix()
    for folder in ("static", "templates", "translations")
    for path in (ROOT / "octoprint_uptime" / folder).rglob("*")
    if path.is_file()
}
CODE = {path.relative_to(ROOT).as_posix() for path in (ROOT / "octoprint_uptime").rglob("*.py")}


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    (path,) = (ROOT / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_project_has_data_of_every_kind() -> None:
    assert {Path(name).suffix for name in DATA} == {".js", ".css", ".svg", ".jinja2", ".po", ".mo"}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == CODE | DATA
    for name in names:
        assert wheel.read(name) == (ROOT / name).read_bytes()


def test_the_sdist_holds_it_too_and_no_tests() -> None:
    (path,) = (ROOT / "dist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert CODE | DATA | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "setup.py"} <= names
    assert not {name for name in names if name.startswith(("tests", "tools", "assets", "docs"))}


def test_the_metadata(metadata: Message, wheel: zipfile.ZipFile) -> None:
    assert {*metadata["Requires-Python"].split(",")} == {">=3.10", "<4"}
    assert metadata.get_all("Requires-Dist") == ["prometheus_client>=0.14.1", "psutil"]
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(entry_points).decode() == "[octoprint.plugin]\noctoprint_uptime = octoprint_uptime\n"


def test_the_licence_is_there_in_full(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("LICENSE"))
    text = wheel.read(name).decode()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_version_stands_in_one_place_and_the_changelog(metadata: Message) -> None:
    version = metadata["Version"]
    places = [
        path.relative_to(ROOT).as_posix()
        for path in [*(ROOT / "octoprint_uptime").rglob("*"), ROOT / "setup.py", ROOT / "pyproject.toml"]
        if path.suffix in {".py", ".toml", ".js", ".jinja2"} and version in path.read_text(encoding="utf-8")
    ]
    assert places == ["pyproject.toml"]
    assert f"## [{heading(version)}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_control_properties_are_literals_that_octoprint_can_read_without_an_import(metadata: Message) -> None:
    tree = ast.parse((ROOT / "octoprint_uptime" / "__init__.py").read_text(encoding="utf-8"))
    literals = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert literals["__plugin_name__"]
    assert {*str(literals["__plugin_pythoncompat__"]).split(",")} == {*metadata["Requires-Python"].split(",")}


@pytest.mark.parametrize("template", sorted(name for name in DATA if name.endswith(".jinja2")))
def test_no_template_has_script_or_style_in_it(template: str) -> None:
    text = (ROOT / template).read_text(encoding="utf-8").lower()
    for forbidden in ("<script", "<style", "style=", "onclick", "onsubmit", "javascript:", "html:"):
        assert forbidden not in text
