"""Configure Sphinx, which builds the site from these pages: `make docs`."""

import re
from pathlib import Path
from typing import Any

REPOSITORY = "https://github.com/Ajimaru/OctoPrint-Uptime/"

project = "OctoPrint-Uptime"
author = "Ajimaru"
project_copyright = "Ajimaru"
extensions = ["myst_parser"]
myst_heading_anchors = 3  # as GitHub makes them
myst_enable_extensions = ["html_image"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_baseurl = "https://ajimaru.github.io/OctoPrint-Uptime/"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"source_repository": REPOSITORY, "source_branch": "main", "source_directory": "docs/"}

# These files in the repository's root are also pages of the site.
_INCLUDED = {
    "README.md": "docs/index.md",
    "CONTRIBUTING.md": "docs/contributing.md",
    "CHANGELOG.md": "docs/changelog.md",
}


def links_from_the_root(text: str) -> str:
    """Return an included file's text with links that also work on the site."""

    def turned(link: re.Match[str]) -> str:
        words, target = link.groups()
        if target in _INCLUDED:
            return f"{words}({_INCLUDED[target]})"
        # MyST itself converts links to pages in docs/ and to embedded pictures.
        if target.startswith("docs/") or words.startswith("!"):
            return link[0]
        return f"{words}({REPOSITORY}blob/main/{target})"

    return re.sub(r"(!?\[[^\]]*\])\((?![a-z]+:|#)([^)]+)\)", turned, text)


def _read_included(_app: object, _path: Path, _page: str, content: list[str]) -> None:
    content[0] = links_from_the_root(content[0])


def setup(app: Any) -> None:
    """Register the handler for included files with Sphinx."""
    app.connect("include-read", _read_included)
