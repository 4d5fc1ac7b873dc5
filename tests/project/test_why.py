"""Compare docs/why.md with the code, the page's link and the recipe."""

from __future__ import annotations

import re
from pathlib import Path

from octoprint_uptime.evidence.records import CAUSES, LITTLE_MEMORY

ROOT = Path(__file__).resolve().parents[2]
WHY = (ROOT / "docs" / "why.md").read_text(encoding="utf-8")


def tables() -> list[list[list[str]]]:
    """Return the cells of each table's rows, without its heading."""
    found = re.findall(r"(?:^\|.*\|\n)+", WHY, re.MULTILINE)
    return [[row.strip("|").split("|") for row in table.splitlines()[2:]] for table in found]


def test_each_cause_is_in_the_table_of_evidence_once() -> None:
    assert re.findall(r"`(\w+)`", "".join(cells[0] for cells in tables()[0])) == [*CAUSES]


def test_each_system_has_a_cell_for_each_column() -> None:
    systems = tables()[1]
    assert len(systems) == 5
    assert {len(cells) for cells in systems} == {5}
    assert all(cell.strip() for cells in systems for cell in cells)


def test_figures_are_those_of_the_code() -> None:
    (megabytes,) = re.findall(r"less than (\d+) MB", WHY)
    assert int(megabytes) * 10**6 == LITTLE_MEMORY
    causes = (ROOT / "octoprint_uptime" / "static" / "js" / "octoprint_uptime_causes.js").read_text(encoding="utf-8")
    assert "within the hour before the shutdown" in WHY
    assert "SIGN_MS = 3600000" in causes


def test_the_page_links_to_this_page_of_the_site() -> None:
    causes = (ROOT / "octoprint_uptime" / "static" / "js" / "octoprint_uptime_causes.js").read_text(encoding="utf-8")
    site = re.findall(r'^html_baseurl = "(.*)"$', (ROOT / "docs" / "conf.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r'WHY = "(.*)"', causes) == [f"{site[0]}why.html"]


def test_the_lines_to_paste_write_the_recipes_file() -> None:
    recipes = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```ini\n(.*?)```", recipes, re.DOTALL)
    written = re.findall(r"^printf '(.*?)' \| sudo tee (\S+)$", WHY, re.MULTILINE)
    assert [text.replace("\\n", "\n") for text, path in written if path.endswith("restart.conf")] == [recipe]
    assert all(f"`{path}`" in recipes for _, path in written if path.endswith("restart.conf"))


def test_it_says_that_no_raspberry_pi_was_tried() -> None:
    assert "**Nothing on this page was tried on a real Raspberry Pi.**" in WHY
