"""Compare the map in docs/architecture.md with the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MODULES = {
    path.relative_to(ROOT).as_posix()
    for ending in ("py", "js", "jinja2")
    for path in (ROOT / "octoprint_uptime").rglob(f"*.{ending}")
}


def test_named_files_exist() -> None:
    named = re.findall(r"`([\w/.]+\.(?:py|js|jinja2))`|\]\((?!https:)([\w/.-]+)", TEXT)
    assert len(named) > len(MODULES)
    for file, link in named:
        if link:
            assert (ROOT / "docs" / link).is_file()
        else:
            assert [module for module in MODULES if f"/{module}".endswith(f"/{file}")], file


def test_every_module_is_in_the_map() -> None:
    map_, _, rest = TEXT.partition("## From a number to the page")
    assert rest
    assert [module for module in MODULES if module not in map_ and Path(module).name not in map_] == []
    assert [module for module in MODULES if module.endswith((".py", ".js")) and f"| `{module}` |" not in map_] == []


def imported(module: str) -> set[str]:
    """Return the files of the package that a file imports."""
    package = Path(module).parent
    found = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = package.parents[node.level - 2] if node.level > 1 else package
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                path = folder / name.replace(".", "/")
                found.add(f"{path}.py" if f"{path}.py" in MODULES else f"{path}/__init__.py")
    return found


def imported_from_elsewhere(module: str) -> set[str]:
    nodes = list(ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


def test_only_one_file_imports_octoprint_or_subprocess_and_none_a_network_module() -> None:
    found = {module: imported_from_elsewhere(module) for module in MODULES if module.endswith(".py")}
    assert [module for module, names in found.items() if "octoprint" in names] == ["octoprint_uptime/plugin.py"]
    everything = {name for names in found.values() for name in names}
    assert {"sqlite3", "flask"} < everything
    assert not everything & {
        "aiohttp",
        "asyncio",
        "ftplib",
        "http",
        "requests",
        "smtplib",
        "socket",
        "urllib",
    }
    assert [module for module, names in found.items() if "subprocess" in names] == [
        "octoprint_uptime/evidence/journal.py"
    ]


def test_imports_point_down_the_map() -> None:
    order = re.findall(r"^\| `([\w/]+\.py)` \|", TEXT, re.MULTILINE)
    assert set(order) == {module for module in MODULES if module.endswith(".py")}
    for place, module in enumerate(order):
        assert imported(module) <= set(order[place + 1 :]), module
    assert sum(len(imported(module)) for module in order) > 20
