"""Check that all colours are in the stylesheet, and that it affects only the plugin's own elements."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import octoprint_uptime

PACKAGE = Path(octoprint_uptime.__file__).parent
STYLES = re.sub(
    r"/\*.*?\*/", "", (PACKAGE / "static/css/octoprint_uptime.css").read_text(encoding="utf-8"), flags=re.DOTALL
)


def test_every_selector_is_of_the_plugins_own_elements() -> None:
    heads = [head.strip() for head in re.findall(r"([^{};]+)\{", STYLES)]
    selectors = [selector for head in heads if not head.startswith("@") for selector in head.split(",")]
    assert len(selectors) > 10
    assert [selector for selector in selectors if "octoprint_uptime" not in selector] == []


@pytest.mark.parametrize("source", [*PACKAGE.rglob("*.js"), *PACKAGE.rglob("*.jinja2")], ids=lambda path: path.name)
def test_no_colour_is_set_by_script_or_template(source: Path) -> None:
    assert not re.search(
        r"#(?:[0-9a-f]{3}){1,2}\b|\brgba?\(|\b(?:fill|stroke|color|background)\b\s*[=:]|\b(?:muted|well)\b",
        source.read_text(encoding="utf-8"),
    )
