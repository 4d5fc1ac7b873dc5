"""A journalctl for tests, which answers from files and writes down how it was called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_SCRIPT = """#!/bin/sh
cd {folder} || exit 2
printf '%s\\n' "$@" '' >> calls
case "$*" in
    *--grep*) {question} ;;
    *) {control} ;;
esac
exit 1
"""


class FakeJournal:
    """A folder with a program ``journalctl`` in it, to be put on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def says(self, *records: dict[str, Any], can_see: bool = True) -> None:
        """Answer the question with these records, and the second one with a record if the journal can be read."""
        (self.folder / "records").write_text("".join(f"{json.dumps(record)}\n" for record in records))
        (self.folder / "any").write_text('{"_PID": "1"}\n' if can_see else "")
        self.runs("cat records", "cat any")

    def runs(self, question: str, control: str = ":") -> None:
        """Run these commands of a shell instead."""
        script = self.folder / "journalctl"
        script.write_text(_SCRIPT.format(folder=self.folder, question=question, control=control))
        script.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        path = self.folder / "calls"
        text = path.read_text() if path.exists() else ""
        return [call.split("\n") for call in text.split("\n\n")[:-1]]
