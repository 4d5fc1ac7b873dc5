"""Made-up runs of OctoPrint for tests, in March 2026."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import strategies as st

from octoprint_uptime.evidence.records import Found
from octoprint_uptime.restart_log.records import Print, Run

HOUR = 3600.0
DAY = 24 * HOUR
MARCH = datetime(2026, 3, 1, tzinfo=timezone.utc).timestamp()
OFFSETS = {"a": MARCH, "b": MARCH + DAY, "c": MARCH + 2 * DAY}


def run(
    number: int,
    boot: str,
    started: float,
    last_alive: float,
    ended: str | None = None,
    print_: Print | None = None,
    offset: float | None = None,
    dismissed: bool = False,
    recorded_from: float | None = None,
    own_boot_id: bool = False,
    found: Found | None = None,
) -> Run:
    """Return a run. The default ``offset`` is that of its boot: a, b or c, each a day after the previous one."""
    wall = OFFSETS[boot] if offset is None else offset
    since = started if recorded_from is None else recorded_from
    known = Run(number, boot, wall, started, since, last_alive, "1.11.8", ended, print_, dismissed, own_boot_id)
    return known._replace(found=found)


seconds = st.integers(0, 10**6).map(float) | st.floats(0, 1e6)


@st.composite
def any_runs(draw: st.DrawFn) -> list[Run]:
    """Return runs of up to five boots with any clocks, in order or not."""
    offsets = [draw(st.floats(-1e12, 1e12) | st.floats(MARCH - DAY, MARCH + 90 * DAY)) for _ in range(5)]
    in_order = draw(st.booleans())  # otherwise hardly any would be
    names = draw(st.sampled_from(["abcde", "12345"]))  # with a boot id or without
    boots = st.integers(0, 4)
    places = draw(st.lists(st.tuples(boots, seconds), max_size=12))
    if in_order:
        offsets.sort()
        places.sort()
    return [
        run(
            number,
            names[boot],
            started,
            started + draw(seconds),
            draw(st.sampled_from(["clean", "off", None])),
            offset=offsets[boot],
        )
        for number, (boot, started) in enumerate(places)
    ]
