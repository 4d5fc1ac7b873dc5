"""A made-up restart for tests, in March 2026, with every field known, and one of which nothing is known."""

from __future__ import annotations

from octoprint_uptime.restart_log import Print, Progress, Restart

MARCH = 1772323200.0  # 2026-03-01 00:00 UTC
BENCHY = Print("parts/benchy.gcode", "local", MARCH + 1.9, Progress(43.2109, 5000, 1.20049, MARCH + 2.9), True)
RESTART = Restart(
    id=7,
    kind="host",
    clean=False,
    run_started=MARCH,
    ended_after=MARCH + 60.9,
    ended_before=MARCH + 120,
    host_started=MARCH + 180,
    started=MARCH + 240.9,
    downtime_min=30.9,
    downtime_max=119.99,
    version="1.11.8",
    lost_print=BENCHY,
    unattended_print=None,
    dismissed=True,
    asked_by="reboot",
    cause="crashed",
    cause_proven=True,
    crashed_in="badplugin",
    under_voltage=MARCH + 30,
    memory=14_000_000,
    journal="found",
)
NOTHING_KNOWN = RESTART._replace(
    run_started=None,
    ended_after=None,
    ended_before=None,
    host_started=None,
    started=None,
    downtime_min=None,
    downtime_max=None,
    lost_print=None,
    asked_by=None,
    cause=None,
    cause_proven=None,
    crashed_in=None,
    under_voltage=None,
    memory=None,
    journal=None,
)
