"""Check that the documentation's pages link to one another, and that Sphinx builds the site."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from octoprint_uptime.restart_log import recorder, store

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
INCLUDES = {"index": "README.md", "contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}
REPOSITORY = "https://github.com/Ajimaru/OctoPrint-Uptime/"


def prose(text: str) -> str:
    """Return the page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the page's anchors, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_contents_once() -> None:
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", PAGES["index"], re.DOTALL | re.MULTILINE)
    listed = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    assert sorted(listed) == sorted(PAGES.keys() - {"index"})


def test_only_pages_that_include_a_file_have_directives() -> None:
    with_directives = {page for page, text in PAGES.items() if "```{" in text}
    assert with_directives == INCLUDES.keys()
    for page, file in INCLUDES.items():
        assert f"```{{include}} ../{file}\n:relative-docs: docs/\n" in PAGES[page]


def links(page: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)]+)\)", prose(PAGES[page]))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_existing_pages_and_headings_or_full_addresses(page: str) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        if link.startswith(f"{REPOSITORY}blob/main/"):
            assert (ROOT / file.removeprefix(f"{REPOSITORY}blob/main/")).is_file(), link
        elif not link.startswith("https://"):
            target = Path(file).stem if file else page
            assert f"{target}.md" == file or not file
            assert target in PAGES, link
            assert not anchor or anchor in anchors(PAGES[target]), link


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("keeps the newest 1,000 rows", store.RUNS_KEPT == 1000),
        ("every five minutes, or every minute during a print", recorder.HEARTBEAT_SECONDS == 300),
        ("every five minutes, or every minute during a print", recorder.PRINTING_HEARTBEAT_SECONDS == 60),
        ("within ten seconds of a change to the wall clock", recorder.CLOCK_CHECK_SECONDS == 10),
        ("waits up to 4.9 seconds", recorder.STOP_SECONDS == 4.9),
        ("keeps the newest three damaged files", store.DAMAGED_KEPT == 3),
    ],
)
def test_restart_log_page_has_the_figures_of_the_code(text: str, value: bool) -> None:
    assert text in " ".join(PAGES["restart-log"].split())
    assert value


def test_make_docs_builds_the_site_without_warnings(tmp_path: Path) -> None:
    (line,) = re.findall(r"^\t\$\(TOOLS\)/bin/sphinx-build (.*) \.docs$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"--nitpicky", "--fail-on-warning", "--fresh-env"} < {*shlex.split(line)}
    command = [sys.executable, "-m", "sphinx", *shlex.split(line), str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert {path.stem for path in tmp_path.glob("*.html")} >= PAGES.keys()
    for page, file in INCLUDES.items():
        html = (tmp_path / f"{page}.html").read_text(encoding="utf-8")
        targets = re.findall(r"\]\((?!https?:|assets/)([\w./-]+)", (ROOT / file).read_text(encoding="utf-8"))
        for target in targets:
            assert f'href="{address(target)}' in html, (page, target)


def address(target: str) -> str:
    """Return the site's address for a link that starts at the repository's root."""
    pages = {file: page for page, file in INCLUDES.items()}
    if target in pages:
        return f"{pages[target]}.html"
    if target.startswith("docs/"):
        return target.removeprefix("docs/").replace(".md", ".html")
    return f"{REPOSITORY}blob/main/{target}"
