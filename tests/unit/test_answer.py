"""Test every key, rounding and text that is reported to each kind of reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from made_up_restart import BENCHY, MARCH, NOTHING_KNOWN, RESTART
from octoprint_uptime import answer
from octoprint_uptime.clock import Uptime
from octoprint_uptime.restart_log import (
    RUNS_KEPT,
    Figures,
    History,
    News,
    Period,
    Print,
    Progress,
    Restart,
    Span,
    Totals,
    Unrecorded,
)
from octoprint_uptime.settings import defaults

UP = Uptime(93784.5678, "proc", MARCH + 0.9, "host")
PROCESS = Uptime(60.999, "psutil", MARCH + 93724)
NO_NEWS = News()
UNKNOWN = Uptime(None, None, None)
UNEXPLAINED = RESTART._replace(cause=None, cause_proven=None, crashed_in=None)


def for_api(
    system: Uptime = UP, news: News = NO_NEWS, sees_files: bool = True, note: str | None = None
) -> dict[str, Any]:
    uptimes = answer.Uptimes(system, PROCESS)
    return answer.for_api(answer.Facts(uptimes, defaults(), news, sees_files, note, "1.2.3"))


def test_every_field_of_a_restart() -> None:
    assert answer.restart(RESTART, sees_files=True) == {
        "id": 7,
        "kind": "host",
        "clean": False,
        "run_started_at": "2026-03-01T00:00:00Z",
        "ended_after": "2026-03-01T00:01:00Z",
        "ended_before": "2026-03-01T00:02:00Z",
        "host_started_at": "2026-03-01T00:03:00Z",
        "started_at": "2026-03-01T00:04:00Z",
        "downtime_seconds_min": 30,
        "downtime_seconds_max": 120,
        "asked_by": "reboot",
        "cause": "crashed",
        "cause_proven": True,
        "crashed_in": "badplugin",
        "under_voltage_at": "2026-03-01T00:00:30Z",
        "memory_available_bytes": 14_000_000,
        "journal": "found",
        "octoprint_version": "1.11.8",
        "lost_print": {
            "file": "benchy.gcode",
            "path": "parts/benchy.gcode",
            "origin": "local",
            "progress": 43.2,
            "position_bytes": 5000,
            "z": 1.2,
            "seen_at": "2026-03-01T00:00:02Z",
            "started_at": "2026-03-01T00:00:01Z",
        },
        "unattended_print": None,
        "dismissed": True,
    }


def test_equal_downtimes_stay_equal() -> None:
    clean = answer.restart(RESTART._replace(downtime_min=30.9, downtime_max=30.9), sees_files=True)
    assert (clean["downtime_seconds_min"], clean["downtime_seconds_max"]) == (30, 30)


def test_what_is_unknown_of_a_restart_is_null() -> None:
    told = answer.restart(NOTHING_KNOWN, sees_files=True)
    assert told.keys() == answer.restart(RESTART, sees_files=True).keys()
    assert {key for key, value in told.items() if value is not None} == {
        "id",
        "kind",
        "clean",
        "octoprint_version",
        "dismissed",
    }


@pytest.mark.parametrize(
    ("print_", "sees_files", "file", "path", "origin"),
    [
        (BENCHY, True, "benchy.gcode", "parts/benchy.gcode", "local"),
        (BENCHY._replace(path="benchy.gcode"), True, "benchy.gcode", "benchy.gcode", "local"),
        (BENCHY._replace(path="a.gco", origin="sdcard"), True, "a.gco", "a.gco", "sdcard"),
        (BENCHY._replace(origin=None), True, "benchy.gcode", "parts/benchy.gcode", None),
        (BENCHY._replace(path=""), True, None, None, "local"),
        (BENCHY, False, None, None, "local"),
        (BENCHY._replace(origin=None), False, None, None, None),
    ],
)
def test_file_of_a_print_is_named_only_to_callers_who_may_see_files(
    print_: Print, sees_files: bool, file: str | None, path: str | None, origin: str | None
) -> None:
    lost = answer.restart(RESTART._replace(lost_print=print_), sees_files)["lost_print"]
    assert (lost["file"], lost["path"], lost["origin"]) == (file, path, origin)
    assert (lost["progress"], lost["position_bytes"]) == (43.2, 5000), "which tells nothing of the file's name"
    elsewhere = RESTART._replace(lost_print=None, unattended_print=print_)
    assert answer.restart(elsewhere, sees_files)["unattended_print"] == lost


def test_what_is_unknown_of_a_lost_print_is_null() -> None:
    print_ = Print("x", None, None, None, True)
    lost = answer.restart(RESTART._replace(lost_print=print_), sees_files=True)["lost_print"]
    assert lost == {
        "file": "x",
        "path": "x",
        "origin": None,
        "progress": None,
        "position_bytes": None,
        "z": None,
        "seen_at": None,
        "started_at": None,
    }


@pytest.mark.parametrize(("percent", "progress"), [(99.99, 99.9), (42.96, 42.9), (43.2, 43.2), (100.0, 100.0)])
def test_progress_is_a_minimum_and_rounded_down(percent: float, progress: float) -> None:
    print_ = BENCHY._replace(progress=Progress(percent, 1, None, MARCH))
    lost = answer.restart(RESTART._replace(lost_print=print_), sees_files=True)["lost_print"]
    assert lost["progress"] == progress


def test_print_at_its_start_has_a_progress_of_zero() -> None:
    print_ = BENCHY._replace(progress=Progress(0.0, 0, 0.0, MARCH))
    lost = answer.restart(RESTART._replace(lost_print=print_), sees_files=True)["lost_print"]
    assert (lost["progress"], lost["position_bytes"], lost["z"]) == (0.0, 0, 0.0)


def test_percentage_that_cannot_be_right_is_null_beside_the_bytes() -> None:
    print_ = BENCHY._replace(progress=Progress(None, 175, None, MARCH))
    lost = answer.restart(RESTART._replace(lost_print=print_), sees_files=True)["lost_print"]
    assert (lost["progress"], lost["position_bytes"], lost["seen_at"]) == (None, 175, "2026-03-01T00:00:00Z")


def test_every_field_of_an_answer() -> None:
    assert for_api() == {
        "seconds": 93784.57,
        "started_at": "2026-03-01T00:00:00Z",
        "uptime": "1d 2h 3m 4s",
        "uptime_dhm": "1d 2h 3m",
        "uptime_dh": "1d 2h",
        "uptime_d": "1d",
        "octoprint_seconds": 61.0,
        "octoprint_started_at": "2026-03-02T02:02:04Z",
        "octoprint_uptime": "1m 1s",
        "octoprint_uptime_dhm": "0h 1m",
        "octoprint_uptime_dh": "0h",
        "octoprint_uptime_d": "0d",
        "uptime_source": "proc",
        "uptime_scope": "host",
        "uptime_available": True,
        "display_format": defaults()["display_format"],
        "poll_interval_seconds": defaults()["poll_interval_seconds"],
        "last_restart": None,
        "unseen_restart": None,
        "unseen_restarts": 0,
        "unseen_lost_prints": 0,
        "recorded_since": None,
        "recorded_runs": None,
        "unexpected_shutdowns": None,
        "lost_prints": None,
        "boots": None,
        "plugin_version": "1.2.3",
    }


def test_unknown_uptime_is_null_with_a_note() -> None:
    told = for_api(UNKNOWN, note="psutil fehlt")
    unknown = ("seconds", "started_at", "uptime", "uptime_dhm", "uptime_dh", "uptime_d", "uptime_source")
    assert [told[key] for key in unknown] == [None] * 7
    assert (told["uptime_available"], told["uptime_note"]) == (False, "psutil fehlt")
    assert told.keys() - {"uptime_note"} == for_api().keys()
    assert told["octoprint_seconds"] == 61.0


@pytest.mark.parametrize("sees_files", [True, False])
@pytest.mark.parametrize("printed_since", [True, False])
def test_answer_has_the_news(sees_files: bool, printed_since: bool) -> None:
    told = for_api(news=News(NOTHING_KNOWN, RESTART, 3, 2, printed_since=printed_since), sees_files=sees_files)
    assert told["last_restart"] == answer.restart(NOTHING_KNOWN, sees_files)
    assert told["unseen_restart"] == {**answer.restart(RESTART, sees_files), "printed_since": printed_since}
    assert (told["unseen_restarts"], told["unseen_lost_prints"]) == (3, 2)


def test_api_reports_since_when_it_records() -> None:
    assert for_api(news=News(recorded_since=MARCH + 0.9))["recorded_since"] == "2026-03-01T00:00:00Z"


def test_answer_has_the_totals() -> None:
    fields = for_api(news=News(totals=Totals(12, 5, 4, 7)))
    names = ("recorded_runs", "unexpected_shutdowns", "lost_prints", "boots")
    assert [fields[name] for name in names] == [12, 5, 4, 7]


class Past(History):
    """A history with these restarts, newest first, and with these unrecorded periods."""

    def __init__(self, restarts: list[Restart], unrecorded: list[Unrecorded]) -> None:
        super().__init__([], MARCH)
        self._all = restarts
        self._unrecorded = unrecorded
        self.days: int | None = -1  # that were asked for

    def restarts(self, days: int | None = None) -> Iterator[Restart]:
        self.days = days
        return iter(self._all)

    def unrecorded(self) -> list[Unrecorded]:
        return self._unrecorded


FIGURES = Figures(5, 3, 1, 70, 90, 100, 61.9, False, 30.9, 40.1)
PERIOD = Period(
    since=int(MARCH),
    until=int(MARCH) + 100,
    octoprint=[Span(int(MARCH), int(MARCH) + 70, "running"), Span(int(MARCH) + 70, int(MARCH) + 90, "maybe_running")],
    host=[Span(int(MARCH), int(MARCH) + 100, "running")],
    figures=FIGURES,
)
HISTORY = {
    "from": "2026-03-01T00:00:00Z",
    "to": "2026-03-01T00:01:40Z",
    "octoprint": [
        {"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:01:10Z", "state": "running"},
        {"from": "2026-03-01T00:01:10Z", "to": "2026-03-01T00:01:30Z", "state": "maybe_running"},
    ],
    "host": [{"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:01:40Z", "state": "running"}],
    "figures": {
        "restarts": 5,
        "unexpected_shutdowns": 3,
        "lost_prints": 1,
        "running_seconds_min": 70,
        "running_seconds_max": 90,
        "recorded_seconds": 100,
        "longest_uptime_seconds": 61,
        "longest_uptime_is_exact": False,
        "unexpected_downtime_seconds_min": 30,
        "unexpected_downtime_seconds_max": 41,
    },
}


@pytest.mark.parametrize("sees_files", [True, False])
def test_past_has_the_newest_restarts_and_when_nothing_was_recorded(sees_files: bool) -> None:
    past = Past([RESTART, NOTHING_KNOWN, RESTART], [Unrecorded(MARCH, None), Unrecorded(None, MARCH + 60.5)])
    assert answer.of_the_past(past, None, answer.Asked(2, None), sees_files, survives_reboot=False) == {
        "restarts": [answer.restart(RESTART, sees_files), answer.restart(NOTHING_KNOWN, sees_files)],
        "not_recorded": [
            {"from": "2026-03-01T00:00:00Z", "to": None},
            {"from": None, "to": "2026-03-01T00:01:00Z"},
        ],
        "survives_reboot": False,
    }
    assert past.days is None


def test_past_of_some_days_has_their_history() -> None:
    past = Past([RESTART], [])
    fields = answer.of_the_past(past, PERIOD, answer.Asked(5, 30), True)
    assert (fields["history"], past.days) == (HISTORY, 30)


def test_what_is_unknown_of_a_period_is_null() -> None:
    unknown = FIGURES._replace(running_max=None, longest_uptime=None, unexpected_downtime_max=None)
    fields = answer.of_the_past(Past([], []), PERIOD._replace(figures=unknown), answer.Asked(5, 30), True)
    figures = fields["history"]["figures"]
    nulls = {"running_seconds_max", "longest_uptime_seconds", "unexpected_downtime_seconds_max"}
    assert {key for key, value in figures.items() if value is None} == nulls


def test_without_a_log_there_is_no_past() -> None:
    fields = answer.of_the_past(None, None, answer.Asked(5, 30), True)
    assert fields == {"restarts": [], "not_recorded": [], "survives_reboot": None, "history": None}
    assert "history" not in answer.of_the_past(None, None, answer.Asked(5, None), True)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, None),
        ({"apikey": "1"}, None),
        ({"restarts": "1"}, (1, None)),
        ({"restarts": "1000"}, (1000, None)),
        ({"restarts": "007"}, (7, None)),
        ({"days": "1"}, (RUNS_KEPT, 1)),
        ({"days": "366"}, (RUNS_KEPT, 366)),
        ({"days": "30", "restarts": "20"}, (20, 30)),
    ],
)
def test_callers_ask_for_a_number_of_restarts_or_of_days(
    arguments: dict[str, str], asked: tuple[int, int | None] | None
) -> None:
    assert answer.asked(arguments) == asked


@pytest.mark.parametrize(("name", "most"), [("restarts", RUNS_KEPT), ("days", 366)])
@pytest.mark.parametrize(
    "text",
    ["0", "{more}", "-1", "+1", "abc", "", "1.5", "1e2", "9" * 5000, "\u0664", "\u00b2", "1,2", " 1", "1_0", "0x1"],
)
def test_any_other_number_is_refused(name: str, most: int, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be a whole number from 1 to {most}$"):
        answer.asked({"restarts": "1", "days": "1", name: text.format(more=most + 1)})


@pytest.mark.parametrize(
    ("arguments", "wanted"), [({}, False), ({"format": "json"}, False), ({"format": "prometheus"}, True)]
)
def test_callers_ask_for_json_or_metrics(arguments: dict[str, str], wanted: bool) -> None:
    assert answer.wants_metrics(arguments) is wanted


@pytest.mark.parametrize("text", ["xml", "", "PROMETHEUS", "json,prometheus"])
def test_any_other_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^format must be json or prometheus$"):
        answer.wants_metrics({"format": text})


def test_error_says_that_there_is_no_uptime() -> None:
    assert answer.error("no such thing") == {"error": "no such thing", "uptime_available": False}


def test_system_info_has_both_uptimes_in_full() -> None:
    assert answer.for_system_info(answer.Uptimes(UP._replace(scope="container"), PROCESS)) == {
        "seconds": 93784.57,
        "started_at": "2026-03-01T00:00:00Z",
        "uptime": "1d 2h 3m 4s",
        "octoprint_seconds": 61.0,
        "octoprint_started_at": "2026-03-02T02:02:04Z",
        "octoprint_uptime": "1m 1s",
        "uptime_source": "proc",
        "uptime_scope": "container",
    }


@pytest.mark.parametrize(
    ("last", "text", "moment"),
    [
        (None, None, None),
        (RESTART, "host, unexpected shutdown (crashed in badplugin), a print was lost", "2026-03-01T00:04:00Z"),
        (UNEXPLAINED._replace(clean=True, started=None), "host, clean shutdown, a print was lost", None),
        (
            UNEXPLAINED._replace(kind="octoprint", lost_print=None),
            "octoprint, unexpected shutdown",
            "2026-03-01T00:04:00Z",
        ),
        (
            NOTHING_KNOWN._replace(clean=True, cause="out_of_memory", cause_proven=True),
            "host, unexpected shutdown (out of memory)",
            None,
        ),
        (
            NOTHING_KNOWN._replace(cause="under_voltage", cause_proven=False),
            "host, unexpected shutdown (probably under voltage)",
            None,
        ),
        (NOTHING_KNOWN._replace(kind="octoprint", clean=True), "octoprint, clean shutdown", None),
        (
            NOTHING_KNOWN._replace(kind="container", unattended_print=BENCHY),
            "container, unexpected shutdown, an unattended print may have continued",
            None,
        ),
    ],
)
def test_system_info_has_the_last_restart(last: Restart | None, text: str | None, moment: str | None) -> None:
    assert answer.restart_for_system_info(last) == {"last_restart": text, "last_restart_at": moment}


@pytest.mark.parametrize(
    ("uptime", "scope", "seconds", "started_at", "text"),
    [(UP, "host", 93784.57, "2026-03-01T00:00:00Z", "1d 2h 3m 4s"), (UNKNOWN, None, None, None, None)],
)
def test_command_line_has_the_hosts_uptime(
    uptime: Uptime, scope: str | None, seconds: float | None, started_at: str | None, text: str | None
) -> None:
    assert answer.for_command_line(uptime, "dh") == {
        "seconds": seconds,
        "started_at": started_at,
        "uptime": text,
        "uptime_source": uptime.source,
        "uptime_scope": scope,
        "uptime_available": seconds is not None,
        "display_format": "dh",
    }


@pytest.mark.parametrize(("raw", "rounded"), [(1.23456, 1.23), (1.236, 1.24), (0.0, 0.0), (59.996, 60.0), (None, None)])
def test_seconds_are_rounded_to_hundredths(raw: float | None, rounded: float | None) -> None:
    assert answer.seconds(Uptime(raw, "proc", MARCH)) == rounded


def test_text_and_seconds_of_one_answer_agree() -> None:
    told = for_api(Uptime(59.996, "proc", MARCH))
    assert (told["seconds"], told["uptime"]) == (60.0, "1m 0s")


@pytest.mark.parametrize(
    "make",
    [
        lambda: for_api(news=News(RESTART, RESTART)),
        lambda: for_api(UNKNOWN, note="psutil"),
        lambda: answer.of_the_past(Past([RESTART, NOTHING_KNOWN], []), PERIOD, answer.Asked(9, 1), True),
        lambda: answer.for_system_info(answer.Uptimes(UP, UNKNOWN)),
        lambda: answer.for_command_line(UP, "full"),
    ],
)
def test_every_answer_is_json(make: Callable[[], Any]) -> None:
    assert json.loads(json.dumps(make(), allow_nan=False)) == make()
