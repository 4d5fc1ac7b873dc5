"""Run the alerts in extras/prometheus with made-up metrics, in Prometheus's own tool."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from system import unpacked

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "extras" / "prometheus" / "alerts.yml"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
LABELS = {"job": "octoprint", "instance": "octopi.local:80", "printer": "left"}
UNREACHABLE = "OctoPrintUnreachableWhilePrinting"

# One value a minute in promtool's notation: 1x59 is sixty times 1, _x540 is nine hours without a value.
Series = dict[str, str]


def promtool(*arguments: object) -> str:
    run = subprocess.run([*unpacked("promtool"), *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def check(tmp_path: Path, alert: str, series: Series, minute: int, fires: bool) -> None:
    """Check whether the alert fires at this minute."""
    rule = RULES[alert]
    labels = ",".join(f'{name}="{value}"' for name, value in LABELS.items())
    named = "{{ $labels.instance }}{{ if $labels.printer }} ({{ $labels.printer }}){{ end }}"
    summary = rule["annotations"]["summary"].replace(named, f"{LABELS['instance']} ({LABELS['printer']})")
    expected = {"exp_labels": {**LABELS, **rule["labels"]}, "exp_annotations": {"summary": summary}}
    test = {
        "interval": "1m",
        "input_series": [{"series": f"{name}{{{labels}}}", "values": values} for name, values in series.items()],
        "alert_rule_test": [{"alertname": alert, "eval_time": f"{minute}m", "exp_alerts": [expected] if fires else []}],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]}))
    promtool("test", "rules", file)


def test_rules_are_valid() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", ALERTS)
    assert len(RULES) == 5


def test_every_summary_names_the_printer_and_says_what_to_do() -> None:
    for rule in RULES.values():
        first, second = rule["annotations"]["summary"].removesuffix(".").split(". ")
        assert "{{ $labels.instance }}" in first
        assert second.split()[0] in ("Check", "Look")


@pytest.mark.parametrize(
    ("alert", "metric"),
    [("OctoPrintLostPrint", "unseen_lost_prints"), ("OctoPrintUnexpectedShutdown", "unseen_restarts")],
)
@pytest.mark.parametrize(
    ("values", "minute", "fires"),
    [
        ("0x59", 59, False),
        ("0x9 1x9", 10, True),
        ("0x9 2x99", 99, True),  # until it is dismissed
        ("1x9 0x9", 10, False),  # dismissed
        ("0x9 _x540 1x9", 550, True),  # nine hours away
        ("_x9 1x9", 9, True),  # the first scrape
        ("1x9 stale _x59", 59, True),  # OctoPrint went down again
        ("1x9 stale _x1500", 1509, False),  # and stays down for more than a day
    ],
)
def test_unseen_alert_stays_until_it_is_dismissed(
    tmp_path: Path, alert: str, metric: str, values: str, minute: int, fires: bool
) -> None:
    check(tmp_path, alert, {f"octoprint_uptime_{metric}": values}, minute, fires)


@pytest.mark.parametrize(
    ("up", "printing", "minute", "fires"),
    [
        ("1x59", "1x59", 59, False),
        ("1x9 0x9", "1x9 _x9", 11, False),  # not yet two minutes
        ("1x9 0x9", "1x9 _x9", 13, True),
        ("1x9 0x9", "1x9 stale _x9", 13, True),  # as Prometheus marks the series of a target that is down
        ("1x9 0x9 1x9", "1x9 stale _x9 1x9", 21, False),  # back
        ("1x9 0x540", "1x9 stale _x540", 549, True),  # nine hours away
        ("1x9 0x1500", "1x9 stale _x1500", 1499, False),  # more than a day away
        ("1x9 0x59", "1x4 0x4 stale _x59", 30, False),  # the print had ended before it was switched off
        ("0x59", "_x59", 59, False),  # never seen
    ],
)
def test_unreachable_printer_is_reported_if_it_was_printing(
    tmp_path: Path, up: str, printing: str, minute: int, fires: bool
) -> None:
    check(tmp_path, UNREACHABLE, {"up": up, "octoprint_uptime_printing": printing}, minute, fires)


@pytest.mark.parametrize(
    ("values", "minute", "fires"),
    [
        ("7x59", 59, False),
        ("7x9 8x9 9x39", 59, False),  # two
        ("7x9 8x9 9x9 10x29", 59, True),  # three
        ("7x9 8x9 9x9 10x99", 110, False),  # more than an hour ago
        ("7x59 8x59 9x59 10x59", 239, False),  # three, each an hour after the last
        ("7x9 _x540 8x59", 600, False),  # once, nine hours away
        ("412x29 0x29", 59, False),  # a new database
        ("0x29 1x29", 59, False),  # the first ever
        ("_x9 412x49", 59, False),  # the first scrape
    ],
)
def test_crash_loop_is_three_shutdowns_within_an_hour(tmp_path: Path, values: str, minute: int, fires: bool) -> None:
    check(tmp_path, "OctoPrintCrashLoop", {"octoprint_uptime_unexpected_shutdowns_total": values}, minute, fires)


@pytest.mark.parametrize(
    ("values", "minute", "fires"),
    [
        ("7x1439", 1439, False),
        ("7x99 8x299 9x999", 1399, False),  # two
        ("7x99 8x299 9x299 10x699", 1399, True),  # three
        ("7x99 8x99 9x99 10x1499", 1799, False),  # more than a day ago
        ("7x99 _x540 8x799", 1439, False),  # once, nine hours away
        ("412x99 0x1339", 1439, False),  # a new database
    ],
)
def test_host_keeps_restarting_after_three_starts_within_a_day(
    tmp_path: Path, values: str, minute: int, fires: bool
) -> None:
    check(tmp_path, "OctoPrintHostKeepsRestarting", {"octoprint_uptime_boots_total": values}, minute, fires)


QUERIES = re.findall(
    r"^\| \w.*? \| `(.*)` \|$", (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(
    ("query", "expected"),
    list(zip(QUERIES, [[(1800, "")], [(1, "")], [(3, "")], [(1, '{version="1.2.0"}')]], strict=True)),
)
def test_queries_of_the_docs_give_their_figures(tmp_path: Path, query: str, expected: list[tuple[float, str]]) -> None:
    series = {
        "process_start_time_seconds": "1800x60",
        "printing": "1x60",
        "unexpected_shutdowns_total": "7x9 8x9 9x9 10x29",
        'info{version="1.2.0"}': "1x60",
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": f"octoprint_uptime_{name}", "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": "60m",
                "exp_samples": [{"value": value, "labels": labels or "{}"} for value, labels in expected],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"evaluation_interval": "1m", "tests": [test]}))
    promtool("test", "rules", file)


def test_docs_name_each_alert() -> None:
    rows = re.findall(
        r"^\| `(OctoPrint\w+)` \|", (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows == list(RULES)
