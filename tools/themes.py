"""Style sheets that imitate typical OctoPrint themes, for screenshots and tests."""

from __future__ import annotations

from playwright.sync_api import Page

DARK = """
    body { background: #202225; color: #dcddde; }
    #navbar .navbar-inner { background: #1e1f22; border-color: #111; }
    #navbar .navbar-inner .brand, #navbar .navbar-inner .nav > li > a { color: #f2f3f5; text-shadow: none; }
    #navbar .navbar-inner .nav > li.open > a, #navbar .navbar-inner .nav > li > a:hover { background: #404249; }
    .dropdown-menu, .modal, .modal-header, .modal-body, .modal-footer, .popover { background: #2f3136; }
    .modal-header, .modal-footer { border-color: #1e1f22; box-shadow: none; }
    .accordion-group, .accordion-inner, .tab-content, .nav-tabs, .nav-tabs > .active > a { border-color: #3f4147; }
    .nav-tabs > .active > a { background: #202225; color: #dcddde; }
    .btn { background: #4e5058; border-color: #26272b; color: #fff; text-shadow: none; }
    .btn:hover, .btn:focus, .btn.active { background: #3b3d44; color: #fff; }
    .btn-danger { background: #a12d2f; }
    input, select { background: #383a40; border-color: #1e1f22; color: #dcddde; }
    .close { color: #fff; text-shadow: none; opacity: 0.6; }
    legend, h3 { color: #f2f3f5; }
    a, .dropdown-menu a { color: #7ab7ff; }
    .help-block, .help-inline { color: #a3a6aa; }
"""

LIGHT = """
    body { background: #fdf6e3; color: #073642; }
    .dropdown-menu, .modal, .modal-header, .modal-body, .modal-footer, .popover { background: #eee8d5; }
    a, .dropdown-menu a { color: #0b6a9f; }
    .help-block, .help-inline { color: #586e75; }
"""


def set_theme(page: Page, sheet: str) -> None:
    """Add a theme's style sheet after OctoPrint's own. It replaces the previous theme's."""
    page.evaluate(
        """sheet => {
            const found = document.querySelector("style.theme");
            const style = found || Object.assign(document.createElement("style"), {className: "theme"});
            style.textContent = sheet;
            document.body.append(style);
        }""",
        sheet,
    )
