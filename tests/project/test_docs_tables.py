"""The tables of docs/api.md and docs/integration.md are what the code gives, both ways."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import octoprint_uptime
from octoprint_uptime import answer, format_uptime
from octoprint_uptime.clock import Uptime
from octoprint_uptime.restart_log import News, Print, Progress, Restart
from octoprint_uptime.restart_log.history import History
from octoprint_uptime.restart_log.records import Run
from octoprint_uptime.settings import defaults

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page: (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in ("api", "integration")}

MARCH = 1772323200.0
UP, DOWN = Uptime(93784.5678, "proc", MARCH), Uptime(None, None, None)
BENCHY = Print("parts/benchy.gcode", "local", MARCH, Progress(43.2, 5000, 1.2, MARCH))
VAGUE = Print("", None, None, None)
KNOWN = Restart(
    id=7,
    kind="host",
    clean=False,
    run_started=MARCH,
    ended_after=MARCH,
    ended_before=MARCH,
    host_started=MARCH,
    started=MARCH,
    downtime_min=30.0,
    downtime_max=60.0,
    version="1.11.8",
    lost_print=BENCHY,
    unattended_print=BENCHY,
    dismissed=True,
)
UNKNOWN = KNOWN._replace(
    run_started=None,
    ended_after=None,
    ended_before=None,
    host_started=None,
    started=None,
    downtime_min=None,
    downtime_max=None,
    lost_print=None,
    unattended_print=None,
)
# The log was off between these two runs.
RUNS = [
    Run(1, "a", MARCH, 60.0, 60.0, 90.0, "1.11.8", "off", None, False),
    Run(2, "a", MARCH, 100.0, 120.0, 190.0, "1.11.8", None, None, False),
]
HISTORY = History(RUNS, MARCH + 190)
NEWS = News(KNOWN, KNOWN, 3, 2, MARCH)
FIRST_FIELDS = {
    *(f"{prefix}{name}" for prefix in ("", "octoprint_") for name in ("seconds", "started_at", "uptime")),
    *(f"{prefix}uptime_{name}" for prefix in ("", "octoprint_") for name in ("dhm", "dh", "d")),
    *("uptime_source", "uptime_available", "uptime_note", "display_format", "poll_interval_seconds", "error"),
}  # of version 1.0.0, which had no restart log


class Field(NamedTuple):
    """A row of a table of fields."""

    name: str
    type: str
    unit: str
    null: str
    since: str
    seen_with: str
    meaning: str


def section(heading: str, page: str = "api") -> str:
    """What stands below a heading, up to the next one."""
    (found,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", PAGES[page], re.DOTALL | re.MULTILINE)
    return str(found)


def table(heading: str) -> dict[str, Field]:
    rows = re.findall(r"^\| `(\w+)` \|" + r" ?(.*?) ?\|" * 6 + "$", section(heading), re.MULTILINE)
    assert rows
    fields = [Field(*row) for row in rows]
    assert len({field.name for field in fields}) == len(fields)
    return {field.name: field for field in fields}


def for_api(system: Uptime, octoprint: Uptime, news: News, note: str | None, sees_files: bool) -> dict[str, Any]:
    uptimes = answer.Uptimes(system, octoprint, system.source and "host")
    told = answer.for_api(answer.Facts(uptimes, defaults(), news, sees_files, note, "1.1.0"))
    if note is not None:
        return told
    return told | answer.of_the_past(HISTORY, HISTORY.period(30, "host", MARCH), answer.Asked(1, 30), sees_files)


# All that there may be first, nothing that need not be known last.
def samples(heading: str, sees_files: bool = True) -> list[dict[str, Any]]:
    restarts = [answer.restart(each, sees_files) for each in (KNOWN, UNKNOWN)]
    lost = KNOWN._replace(lost_print=VAGUE, unattended_print=VAGUE)
    prints = [answer.restart(each, sees_files)["lost_print"] for each in (KNOWN, lost)]
    system_info = answer.restart_for_system_info
    found: dict[str, list[dict[str, Any]]] = {
        "The answer": [
            for_api(UP, UP, NEWS, None, sees_files),
            for_api(DOWN, DOWN, News(), "psutil is missing", sees_files),
        ],
        "A restart": restarts,
        "A print": prints,
        "A time that was not recorded": [
            *answer.of_the_past(HISTORY, None, answer.Asked(1, None), sees_files)["not_recorded"],
            {"from": None, "to": None},
        ],
        "Errors": [answer.error("no such thing")],
        "The command line": [answer.for_command_line(up, up.source and "host", "full") for up in (UP, DOWN)],
        "System info": [
            answer.for_system_info(answer.Uptimes(UP, UP, "host")) | system_info(KNOWN),
            answer.for_system_info(answer.Uptimes(DOWN, DOWN, None)) | system_info(None),
        ],
    }
    return found[heading]


TABLES = ["The answer", "A restart", "A print", "A time that was not recorded"]
TABLES += ["Errors", "The command line", "System info"]
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "list"}


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_has_the_fields_that_are_told_with_their_types(heading: str) -> None:
    fields, told = table(heading), samples(heading)
    assert fields.keys() == {name for each in told for name in each}
    for name, field in fields.items():
        types = {TYPES[type(each[name])] for each in told if each.get(name) is not None}
        assert types == {field.type}, name


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_says_which_fields_may_be_null_or_not_there(heading: str) -> None:
    told = samples(heading)
    for name, field in table(heading).items():
        missing = any(name not in each for each in told)
        null = any(name in each and each[name] is None for each in told)
        assert field.null.startswith("not there") == missing, name
        assert (field.null == "never") == (not null and not missing), name


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_says_which_version_had_a_field_first(heading: str) -> None:
    for name, field in table(heading).items():
        first = heading in ("The answer", "Errors", "System info") and name in FIRST_FIELDS
        assert field.since == ("1.2.0" if name == "history" else "1.0.0" if first else "1.1.0"), name


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_says_who_sees_a_field(heading: str) -> None:
    told, (less, *_) = samples(heading)[0], samples(heading, sees_files=False)
    everybody = {"Errors": "everybody", "The command line": "everybody", "System info": "SYSTEM"}.get(heading, "STATUS")
    for name, field in table(heading).items():
        hidden = less.get(name) is None and told.get(name) is not None
        assert field.seen_with == ("FILES_LIST" if hidden else everybody), name


def test_moments_and_hundredths_are_those_of_the_unit_column() -> None:
    for heading in TABLES:
        for told in samples(heading):
            for name, field in table(heading).items():
                value = told.get(name)
                if field.unit == "moment" and value is not None:
                    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), name
                if field.unit == "seconds, to hundredths" and value is not None:
                    assert value == 93784.57


def test_the_arguments_have_their_bounds() -> None:
    bounds = re.findall(r"^\| `(\w+)` \| (\d+) to (\d+) \|", section("The request"), re.MULTILINE)
    assert [name for name, _, _ in bounds] == ["restarts", "days"]
    for name, low, high in bounds:
        for text in (low, high):
            assert answer.asked({name: text})
        for number in (int(low) - 1, int(high) + 1):
            with pytest.raises(ValueError, match=f"from {low} to {high}$"):
                answer.asked({name: str(number)})


def test_commands_helpers_and_functions_are_those_of_the_code() -> None:
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


def test_the_page_on_integration_has_the_same_fields_and_examples_that_fit_them() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", section("A success", "integration"), re.MULTILINE))
    fields = table("The answer")
    assert rows.keys() == fields.keys()
    examples = {name: json.loads(text.strip("`")) for name, text in rows.items() if re.fullmatch("`.*`", text)}
    for name, example in examples.items():
        assert TYPES[type(example)] == fields[name].type, name
    for prefix in ("", "octoprint_"):
        for suffix, display_format in {"": "full", "_dhm": "dhm", "_dh": "dh", "_d": "d"}.items():
            written = format_uptime(examples[f"{prefix}seconds"], display_format)
            assert examples[f"{prefix}uptime{suffix}"] == written
    errors = re.findall(r"^\| `(\w+)` \|", section("An error", "integration"), re.MULTILINE)
    assert errors == [*table("Errors")]


def test_the_example_of_an_end_is_what_the_log_makes_of_it() -> None:
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
    (found,) = History([before, after], MARCH).restarts()
    assert (found.ended_after, found.ended_before) == (write, power_back)
    assert write < power_cut < power_back
    assert (found.downtime_min, found.downtime_max) == (45, 30 * 60 + 45)
    assert "45 seconds at the\nleast and for 30 minutes and 45 seconds at the most" in example
