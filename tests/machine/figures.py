"""Count how many ends the log reported correctly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kinds import KINDS
from truth import Told


class Figures:
    """Count for each kind of end how many were reported correctly, and how precise the downtimes are."""

    def __init__(self) -> None:
        self._done: dict[str, int] = defaultdict(int)
        self._right: dict[str, int] = defaultdict(int)
        self._widths: dict[str, list[int]] = defaultdict(list)

    def done(self, kind: str) -> None:
        self._done[kind] += 1

    def right(self, kind: str, told: Told) -> None:
        """Count a correct report. ``told`` is the restart in the log."""
        self._right[kind] += 1
        low, high = told["downtime_seconds_min"], told["downtime_seconds_max"]
        if high is not None:
            self._widths[kind].append(high - low)

    def table(self) -> Iterator[str]:
        row = "{:42} {:>5} {:>11}   {}".format
        yield row("end", "done", "correct", "downtime known to within")
        for kind in KINDS:
            if self._done[kind]:
                yield row(kind, self._done[kind], self._right[kind], self._range(self._widths[kind]))
        yield row("all", sum(self._done.values()), sum(self._right.values()), "")

    @staticmethod
    def _range(widths: list[int]) -> str:
        if not widths:
            return ""
        low, high = min(widths), max(widths)
        return f"{low} s" if low == high else f"{low} to {high} s"
