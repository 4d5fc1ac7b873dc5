"""Refresh the catalogues: extract and update those in translations/, compile them, and copy what ships."""

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
    """Where a language's catalogue lies below ``folder``."""
    return folder / language / "LC_MESSAGES" / "messages.po"


def pybabel(*arguments: str | Path) -> None:
    """Run Babel's command in the project's folder."""
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", *map(str, arguments)], cwd=ROOT, check=True)


def extract(target: Path) -> None:
    """Collect what the Python code, the templates and the JavaScript have to say."""
    about = (
        "--project=OctoPrint-Uptime",
        "--copyright-holder=Ajimaru",
        "--msgid-bugs-address=https://github.com/Ajimaru/OctoPrint-Uptime/issues",
    )
    options = ("--mapping=babel.cfg", "--add-location=never", "--sort-output", f"--output-file={target}")
    pybabel("--quiet", "extract", *about, *options, ".")


def refresh_template() -> None:
    """Extract anew; where nothing but the date would change, the file stays as it is, and so do the others."""
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
        # No guesses: OctoPrint's page would show a fuzzy translation as if somebody had checked it.
        command = ("update", "--no-fuzzy-matching", "--ignore-obsolete") if po.exists() else ("init",)
        pybabel("--quiet", *command, "--input-file", POT, "--output-dir", WORKING, "--locale", language)
        shipped = catalogue(SHIPPED, language)
        shipped.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(po, shipped)
        pybabel("--quiet", "compile", "--input-file", po, "--output-file", shipped.with_suffix(".mo"))


if __name__ == "__main__":
    main()
