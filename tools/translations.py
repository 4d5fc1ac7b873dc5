"""Refresh the translations: extract the texts, update translations/, compile, and copy into the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LANGUAGES = ("de",)
ROOT = Path(__file__).resolve().parent.parent
WORKING = ROOT / "translations"
SHIPPED = ROOT / "octoprint_uptime" / "translations"
POT = WORKING / "messages.pot"


def catalogue(folder: Path, language: str) -> Path:
    """Return the path of a language's catalogue in ``folder``."""
    return folder / language / "LC_MESSAGES" / "messages.po"


def pybabel(*arguments: str | Path) -> None:
    """Run pybabel in the project's folder."""
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", *map(str, arguments)], cwd=ROOT, check=True)


def extract(target: Path) -> None:
    """Extract the texts of the Python code, the templates and the JavaScript."""
    about = (
        "--project=OctoPrint-Uptime",
        "--copyright-holder=Ajimaru",
        "--msgid-bugs-address=https://github.com/Ajimaru/OctoPrint-Uptime/issues",
    )
    options = ("--mapping=babel.cfg", "--add-location=never", "--sort-output", f"--output-file={target}")
    pybabel("--quiet", "extract", *about, *options, ".")


def refresh_template() -> None:
    """Extract the texts again, but keep the file if only its date would change."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder, POT.name)
        extract(new)
        if not POT.exists() or _undated(new) != _undated(POT):
            shutil.copyfile(new, POT)


def _undated(catalogue: Path) -> list[str]:
    lines = catalogue.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith('"POT-Creation-Date:')]


def main() -> None:
    refresh_template()
    for language in LANGUAGES:
        po = catalogue(WORKING, language)
        # No fuzzy matching: OctoPrint would show guessed translations.
        command = ("update", "--no-fuzzy-matching", "--ignore-obsolete") if po.exists() else ("init",)
        pybabel("--quiet", *command, "--input-file", POT, "--output-dir", WORKING, "--locale", language)
        shipped = catalogue(SHIPPED, language)
        shipped.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(po, shipped)
        pybabel("--quiet", "compile", "--input-file", po, "--output-file", shipped.with_suffix(".mo"))


if __name__ == "__main__":
    main()
