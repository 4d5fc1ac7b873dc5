"""The README's lines, pasted."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from octoprint_server import api_key
from page_parts import UP_FOR_AN_HOUR, seed
from prompt import DURATION, PROMPT
from recorded_runs import moment, until
from runs import Run
from support import MakeServer, OctoPrint, OpenPage

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def shape(value: Any) -> Any:
    """Names in their order, and types."""
    return [(name, shape(each)) for name, each in value.items()] if isinstance(value, dict) else type(value)


def test_the_curl_line_gives_the_answer_shown(make_server: MakeServer) -> None:
    night = [Run("a", 90, 40, "clean"), Run("b", 39, 2, None, "benchy.gcode", dismissed=True)]
    server = make_server(UP_FOR_AN_HOUR, seed=seed(night))
    until(lambda: server.answer()["last_restart"])  # which is read while OctoPrint already answers
    (line,) = re.findall(r"^    (curl .*)$", README, re.MULTILINE)
    line = line.replace("http://octopi.local", server.url)
    run = subprocess.run(["sh", "-c", line], env={"KEY": api_key("viewer")}, capture_output=True, text=True, check=True)
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    real, example = json.loads(run.stdout), json.loads(shown)
    assert shape(real) == shape(example)
    for field in ("kind", "clean", "dismissed"):
        assert real["last_restart"][field] == example["last_restart"][field]


def test_the_page_shows_both_versions_at_its_bottom_left(server: OctoPrint, open_page: OpenPage) -> None:
    footer = open_page(server).locator("#footer_version")
    expect(footer).to_have_text(re.compile(r"OctoPrint\s+\d+\.\d+\S*\s+Python\s+3\.\d+\.\d+"))
    expect(footer).to_have_css("float", "left")


def test_the_python_line_asks_the_api(server: OctoPrint) -> None:
    (line,) = re.findall(r"^    (requests\..*)$", README, re.MULTILINE)
    line = line.replace("http://octopi.local", server.url)
    assert re.fullmatch(DURATION, eval(line, {"requests": requests, "KEY": api_key("viewer")}))


def line_with(start: str) -> tuple[str, str]:
    """The one line that starts so, and the answer in its comment."""
    (line,) = (line.strip() for line in README.splitlines() if line.strip().startswith(start))
    return line, re.split(r" (?://|#) ", line)[1]


def test_the_python_lines_work_in_another_plugin(make_server: MakeServer) -> None:
    lines = [line_with(start) for start in ("from octoprint_uptime", "self._plugin_manager")]
    server = make_server(extra_plugins={"prompt.py": PROMPT.format(lines=[line for line, _ in lines])})
    text, seconds = server.session("admin").get(f"{server.url}/api/plugin/prompt").json()
    (_, text_shown), (_, seconds_shown) = lines
    assert text == f"{json.loads(text_shown)!r}\n"
    assert float(seconds) == pytest.approx(server.answer()["seconds"], abs=2)
    assert isinstance(json.loads(seconds_shown), float)


def test_the_browser_lines_work_in_the_page(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server)
    line, comment = line_with("OctoPrint.plugins.octoprint_uptime.get()")
    assert re.fullmatch(DURATION, comment)
    with page.expect_console_message(lambda message: bool(re.fullmatch(DURATION, message.text))):
        page.evaluate(line)
    line, comment = line_with("OctoPrint.plugins.octoprint_uptime.format(")
    assert page.evaluate(line) == json.loads(comment)


def test_the_command_lines_work_in_a_shell_and_agree_with_the_server(server: OctoPrint) -> None:
    server.save({"display_format": "dhm"}).raise_for_status()
    show, as_json = re.findall(r"^    (octoprint .*)$", README, re.MULTILINE)
    api = server.answer()
    run = server.shell(show)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[-1] in {api["uptime_dhm"], server.answer()["uptime_dhm"]}
    run = server.shell(as_json)
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    assert answer.keys() < api.keys()
    assert api["seconds"] <= answer["seconds"] <= server.answer()["seconds"]
    for field in ("display_format", "uptime_available", "uptime_scope", "uptime_source"):
        assert answer[field] == api[field]
    assert abs(moment(answer["started_at"]) - moment(api["started_at"])) <= 2
