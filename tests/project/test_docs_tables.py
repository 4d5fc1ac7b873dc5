"""Compare the tables of docs/api.md and docs/integration.md with the code, in both directions."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import octoprint_uptime
from made_up_restart import BENCHY, MARCH, NOTHING_KNOWN, RESTART
from octoprint_uptime import answer, format_uptime, metrics
from octoprint_uptime.clock import Uptime
from octoprint_uptime.restart_log import News, Print, Totals, history
from octoprint_uptime.restart_log.history import History
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.settings import defaults

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page: (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in ("api", "integration")}

UP, DOWN = Uptime(93784.5678, "proc", MARCH, "host"), Uptime(None, None, None)
VAGUE = Print("", None, None, None, True)
KNOWN = RESTART._replace(unattended_print=BENCHY)
# The log was off between these two runs.
RUNS = [
    Run(1, "a", MARCH, 60.0, 60.0, 90.0, "1.11.8", "off", None, False),
    Run(2, "a", MARCH, 100.0, 120.0, 190.0, "1.11.8", None, None, False),
]
HISTORY = History(RUNS, MARCH + 190)
PERIOD = HISTORY.period(30, "host", MARCH)
UNKNOWN_FIGURES = PERIOD.figures._replace(running_max=None, longest_uptime=None, unexpected_downtime_max=None)
NEWS = News(KNOWN, KNOWN, 3, 2, MARCH, totals=Totals(12, 5, 4, 7))


class Field(NamedTuple):
    """A row of a table of fields."""

    name: str
    type: str
    unit: str
    null: str
    meaning: str


def moment(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def section(heading: str, page: str = "api") -> str:
    """Return the text between a heading and the next one."""
    (found,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", PAGES[page], re.DOTALL | re.MULTILINE)
    return str(found)


def table(heading: str) -> dict[str, Field]:
    rows = re.findall(r"^\| `(\w+)` \|" + r" ?(.*?) ?\|" * 4 + "$", section(heading), re.MULTILINE)
    assert rows
    fields = [Field(*row) for row in rows]
    assert len({field.name for field in fields}) == len(fields)
    return {field.name: field for field in fields}


def for_api(system: Uptime, octoprint: Uptime, news: News, note: str | None, sees_files: bool) -> dict[str, Any]:
    uptimes = answer.Uptimes(system, octoprint)
    fields = answer.for_api(answer.Facts(uptimes, defaults(), news, sees_files, note, "1.1.0"))
    if note is not None:
        return fields
    return fields | answer.of_the_past(HISTORY, PERIOD, answer.Asked(1, 30), sees_files, survives_reboot=True)


def samples(heading: str, sees_files: bool = True) -> list[dict[str, Any]]:
    """Return examples of what the code returns: the first has all fields, the last as many unknown ones as possible."""
    restarts = [answer.restart(each, sees_files) for each in (KNOWN, NOTHING_KNOWN)]
    lost = KNOWN._replace(lost_print=VAGUE, unattended_print=VAGUE)
    prints = [answer.restart(each, sees_files)["lost_print"] for each in (KNOWN, lost)]
    period, unknown = (
        answer.of_the_past(HISTORY, each, answer.Asked(1, 30), sees_files)["history"]
        for each in (PERIOD, PERIOD._replace(figures=UNKNOWN_FIGURES))
    )
    unseen = for_api(UP, UP, NEWS, None, sees_files)["unseen_restart"]
    system_info = answer.restart_for_system_info
    found: dict[str, list[dict[str, Any]]] = {
        "The response": [
            for_api(UP, UP, NEWS, None, sees_files),
            for_api(DOWN, DOWN, News(), "psutil is missing", sees_files),
        ],
        "A restart": restarts,
        "The unseen restart": [{name: unseen[name] for name in unseen.keys() - restarts[0].keys()}],
        "A print": prints,
        "A period that was not recorded": [
            *answer.of_the_past(HISTORY, None, answer.Asked(1, None), sees_files)["not_recorded"],
            {"from": None, "to": None},
        ],
        "The history": [period],
        "A span": period["octoprint"] + period["host"],
        "The figures": [period["figures"], unknown["figures"]],
        "Errors": [answer.error("no such thing")],
        "The command line": [answer.for_command_line(up, "full") for up in (UP, DOWN)],
        "System info": [
            answer.for_system_info(answer.Uptimes(UP, UP)) | system_info(KNOWN),
            answer.for_system_info(answer.Uptimes(DOWN, DOWN)) | system_info(None),
        ],
    }
    return found[heading]


TABLES = ["The response", "A restart", "The unseen restart", "A print", "A period that was not recorded"]
TABLES += ["The history", "A span", "The figures", "Errors", "The command line", "System info"]
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "list"}


@pytest.mark.parametrize("heading", TABLES)
def test_table_has_the_fields_and_types_of_the_responses(heading: str) -> None:
    fields, answers = table(heading), samples(heading)
    assert fields.keys() == {name for each in answers for name in each}
    for name, field in fields.items():
        types = {TYPES[type(each[name])] for each in answers if each.get(name) is not None}
        assert types == {field.type}, name


@pytest.mark.parametrize("heading", TABLES)
def test_table_says_which_fields_can_be_null_or_missing(heading: str) -> None:
    answers = samples(heading)
    for name, field in table(heading).items():
        missing = any(name not in each for each in answers)
        null = any(name in each and each[name] is None for each in answers)
        assert bool(re.search(r"(^|; )missing ", field.null)) == missing, name
        assert (field.null == "never") == (not null and not missing), name


def test_only_file_and_path_need_files_list() -> None:
    (named,) = re.findall(
        r"^- .*fields (.*) of a print are `null` without FILES_LIST\.$", section("Fields"), re.MULTILINE
    )
    hidden = set()
    for heading in TABLES:
        with_files, without = samples(heading)[0], samples(heading, sees_files=False)[0]
        found = {name for name in with_files if without.get(name) is None and with_files[name] is not None}
        assert found == {name for name, field in table(heading).items() if "FILES_LIST" in field.null}
        hidden |= found
    assert hidden == set(re.findall(r"`(\w+)`", named))


def test_fields_listed_by_version_exist() -> None:
    (listed,) = re.findall(r"^- Version 1\.0\.0 had .*?(?=\n\n)", section("Fields"), re.DOTALL | re.MULTILINE)
    names = set(re.findall(r"`(\w+)`", listed))
    assert {"uptime_note", "error", "history"} < names
    assert names <= {name for heading in TABLES for name in table(heading)}


def test_units_fit_timestamps_and_hundredths() -> None:
    for heading in TABLES:
        for sample in samples(heading):
            for name, field in table(heading).items():
                value = sample.get(name)
                if field.unit == "timestamp" and value is not None:
                    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), name
                if field.unit == "seconds, to hundredths" and value is not None:
                    assert value == 93784.57


def test_states_of_a_span_are_all_documented() -> None:
    (listed,) = re.findall(r"^\| `state` .* \| (.*) \|$", section("A span"), re.MULTILINE)
    states = {history.RUNNING, history.MAYBE_RUNNING, history.NOT_RECORDED, history.UNKNOWN}
    assert set(re.findall(r"`(\w+)`", listed)) == states


def example() -> dict[str, Any]:
    (found,) = re.findall(r"```json\n(.*?)```", section("A complete response"), re.DOTALL)
    shown: dict[str, Any] = json.loads(found)
    return shown


def test_example_has_exactly_the_documented_fields() -> None:
    shown = example()
    found = shown["history"]
    parts = [
        ("The response", [shown | {"uptime_note": ""}]),
        ("A restart", [shown["last_restart"], *shown["restarts"]]),
        ("A print", [shown["last_restart"]["lost_print"]]),
        ("The history", [found]),
        ("A span", found["octoprint"] + found["host"]),
        ("The figures", [found["figures"]]),
    ]
    for heading, values in parts:
        for value in values:
            assert value.keys() == table(heading).keys(), heading


def seconds_of(spans: list[dict[str, Any]], state: str) -> float:
    return sum(moment(span["to"]) - moment(span["from"]) for span in spans if span["state"] == state)


def test_figures_of_the_example_fit_its_spans_and_restarts() -> None:
    shown = example()
    found, restarts = shown["history"], shown["restarts"]
    spans, figures = found["octoprint"], found["figures"]
    total = moment(found["to"]) - moment(found["from"])
    assert total == 30 * 86400
    assert figures["running_seconds_min"] == seconds_of(spans, "running")
    assert figures["running_seconds_max"] == figures["running_seconds_min"] + seconds_of(spans, "maybe_running")
    assert figures["recorded_seconds"] == total - seconds_of(spans, "not_recorded")
    assert figures["longest_uptime_seconds"] == max(moment(span["to"]) - moment(span["from"]) for span in spans[1:])
    assert figures["restarts"] == len(restarts)
    unexpected = [restart for restart in restarts if not restart["clean"]]
    assert figures["unexpected_shutdowns"] == len(unexpected)
    assert figures["lost_prints"] == len([restart for restart in restarts if restart["lost_print"]])
    for bound in ("min", "max"):
        downtime = sum(restart[f"downtime_seconds_{bound}"] for restart in unexpected)
        assert figures[f"unexpected_downtime_seconds_{bound}"] == downtime


def test_times_of_the_example_are_in_order() -> None:
    shown = example()
    restart = shown["last_restart"]
    assert restart == shown["restarts"][0]
    lost = restart["lost_print"]
    moments = [
        shown["recorded_since"],
        *(restart["run_started_at"], lost["started_at"], lost["seen_at"]),
        *(restart["ended_after"], restart["ended_before"], restart["host_started_at"], restart["started_at"]),
    ]
    assert moments == sorted(moments)
    assert (restart["host_started_at"], restart["started_at"]) == (shown["started_at"], shown["octoprint_started_at"])
    for each in shown["restarts"]:
        for bound, stopped in (("max", "ended_after"), ("min", "ended_before")):
            downtime = moment(each["started_at"]) - moment(each[stopped])
            assert each[f"downtime_seconds_{bound}"] == pytest.approx(downtime, abs=1)  # whole seconds each


def test_uptimes_of_the_example_agree() -> None:
    shown = example()
    for prefix in ("", "octoprint_"):
        for suffix, display_format in {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}.items():
            formatted = format_uptime(shown[f"{prefix}seconds"], display_format)
            assert shown[f"{prefix}uptime{suffix}"] == formatted
        now = moment(shown[f"{prefix}started_at"]) + shown[f"{prefix}seconds"]
        assert now == pytest.approx(moment(shown["history"]["to"]), abs=1)


def test_query_parameters_have_the_documented_ranges() -> None:
    bounds = re.findall(r"^\| `(\w+)` \| (\d+) to (\d+) \|", section("The request"), re.MULTILINE)
    assert [name for name, _, _ in bounds] == ["restarts", "days"]
    for name, low, high in bounds:
        for text in (low, high):
            assert answer.asked({name: text})
        for number in (int(low) - 1, int(high) + 1):
            with pytest.raises(ValueError, match=f"from {low} to {high}$"):
                answer.asked({name: str(number)})


def test_commands_helpers_functions_mixins_and_hooks_are_complete() -> None:
    package = ROOT / "octoprint_uptime"
    plugin = ast.parse((package / "plugin.py").read_text(encoding="utf-8"))
    (commands,) = (node for node in ast.walk(plugin) if getattr(node, "name", "") == "get_api_commands")
    (given,) = (
        ast.literal_eval(node.value) for node in ast.walk(commands) if isinstance(node, ast.Return) and node.value
    )
    bodies = [json.loads(body) for body in re.findall(r"^\| `(\{.*?\})` \|", section("Commands"), re.MULTILINE)]
    assert {body.pop("command"): [*body] for body in bodies} == given

    documented = re.findall(r"^\| `(\w+)` \|", section("Helpers"), re.MULTILINE)
    init = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    (load,) = (node for node in init.body if isinstance(node, ast.FunctionDef))
    assigned = {ast.unparse(node.targets[0]): node.value for node in load.body if isinstance(node, ast.Assign)}
    helpers, hooks = (
        [ast.literal_eval(key) for key in dictionary.keys if key]
        for dictionary in map(assigned.get, ("__plugin_helpers__", "__plugin_hooks__"))
        if isinstance(dictionary, ast.Dict)
    )
    assert sorted(documented) == sorted([*helpers, *octoprint_uptime.__all__])

    (made,) = (node for node in plugin.body if isinstance(node, ast.ClassDef))
    listed = re.findall(r"`(\w+Plugin)`", section("How it registers", "integration").partition("and hooks")[0])
    assert sorted(listed) == sorted(ast.unparse(base).rpartition(".")[2] for base in made.bases)
    assert sorted(re.findall(r"^\| `(octoprint\.[\w.]+)`", PAGES["integration"], re.MULTILINE)) == sorted(hooks)


def test_example_of_a_power_cut_is_what_the_log_records() -> None:
    text = (ROOT / "docs" / "restart-log.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^An example: .*?\n\n", text, re.DOTALL | re.MULTILINE)
    write, power_cut, power_back, started = (
        MARCH + int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        for hours, minutes, seconds in re.findall(r"(\d\d):(\d\d):(\d\d)", example)[:4]
    )
    before = Run(1, "a", MARCH, 0, 0, write - MARCH, "1.11.8", None, BENCHY, False)
    after = Run(
        2, "b", power_back, started - power_back, started - power_back, started - power_back, "", None, None, False
    )
    (found,) = History([before, after], started).restarts()
    assert (found.ended_after, found.ended_before) == (write, power_back)
    assert write < power_cut < power_back
    assert (found.downtime_min, found.downtime_max) == (45, 30 * 60 + 45)
    assert "at least 45 seconds and at most 30 minutes and 45 seconds" in " ".join(example.split())


def test_table_of_metrics_has_those_of_a_scrape() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (gauge|counter) \| (.*?) \|", section("Metrics"), re.MULTILINE)
    uptimes = answer.Uptimes(UP, UP)
    text, without_log = (
        metrics.text(metrics.Facts(uptimes, news, False, "1.2.0", "1.11.8")).decode() for news in (NEWS, News())
    )
    assert {(f"octoprint_uptime_{name}", type_) for name, type_, _ in rows} == {
        tuple(each) for each in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
    }
    for name, _, missing in rows:
        assert ("log is off" in missing) == (f"octoprint_uptime_{name}" not in without_log), name


def test_costs_of_many_printers_are_computed_from_a_scrape() -> None:
    monitoring = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    performance = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    (samples,) = re.findall(r"^\| samples of a scrape \| (\d+) \| \1 \|", performance, re.MULTILINE)
    rows = re.findall(
        r"^" + r"\| ([\d,]+) " * 3 + r"\| ([\d,]+) KB/s \| ([\d,]+) to ([\d,]+) MB \|$", monitoring, re.MULTILINE
    )
    assert len(rows) == 2
    for row in rows:
        printers, series, rate, network, low, high = (int(number.replace(",", "")) for number in row)
        assert series == printers * (int(samples) + 5)
        assert rate == round(series / 15)
        assert network == round(printers * 2 / 15)
        assert (low, high) == (round(series / 15 * 86400 / 1e6), round(2 * series / 15 * 86400 / 1e6))
