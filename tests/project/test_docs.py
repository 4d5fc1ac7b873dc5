"""The documentation's pages hang together, and Sphinx makes a site of them."""

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
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Where a link into the page may lead, as GitHub names its headings."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_tables_of_contents_once() -> None:
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```$", PAGES["index"], re.DOTALL | re.MULTILINE)
    listed = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    assert sorted(listed) == sorted(PAGES.keys() - {"index"})


def test_only_the_pages_that_include_a_file_hold_what_github_can_not_show() -> None:
    with_directives = {page for page, text in PAGES.items() if "```{" in text}
    assert with_directives == INCLUDES.keys()
    for page, file in INCLUDES.items():
        assert f"```{{include}} ../{file}\n:relative-docs: docs/\n" in PAGES[page]


def links(page: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)]+)\)", prose(PAGES[page]))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_heading_that_are_there_or_to_a_whole_address(page: str) -> None:
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
    ("told", "value"),
    [
        ("the newest 1,000, in", store.RUNS_KEPT == 1000),
        ("every five minutes, and every minute while a print runs", recorder.HEARTBEAT_SECONDS == 300),
        ("every five minutes, and every minute while a print runs", recorder.PRINTING_HEARTBEAT_SECONDS == 60),
        ("within ten seconds after the wall clock was set", recorder.CLOCK_CHECK_SECONDS == 10),
        ("for 4.9 seconds at most", recorder.STOP_SECONDS == 4.9),
        ("the newest three are kept", store.DAMAGED_KEPT == 3),
    ],
)
def test_the_restart_logs_page_tells_the_figures_of_the_code(told: str, value: bool) -> None:
    assert told in " ".join(PAGES["restart-log"].split())
    assert value


def test_make_docs_makes_the_site_without_a_warning(tmp_path: Path) -> None:
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
    """Where the site's reader is led by a link that begins at the repository's root."""
    pages = {file: page for page, file in INCLUDES.items()}
    if target in pages:
        return f"{pages[target]}.html"
    if target.startswith("docs/"):
        return target.removeprefix("docs/").replace(".md", ".html")
    return f"{REPOSITORY}blob/main/{target}"
