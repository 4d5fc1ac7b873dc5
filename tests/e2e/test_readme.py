"""Run the README's commands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import expect

from octoprint_server import api_key
from page_parts import seed
from prompt import DURATION
from recorded_runs import moment, until
from runs import Run
from support import UP_FOR_AN_HOUR, MakeServer, OctoPrint, OpenPage
from system import unpacked

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def shape(value: Any, like: Any) -> Any:
    """Return the types of the fields that ``like`` also has."""
    return {name: shape(value[name], each) for name, each in like.items()} if isinstance(like, dict) else type(value)


def test_curl_command_returns_the_fields_of_the_example(make_server: MakeServer) -> None:
    night = [Run("a", 90, 40, "clean"), Run("b", 39, 2, None, "benchy.gcode", dismissed=True)]
    server = make_server(UP_FOR_AN_HOUR, seed=seed(night))
    until(lambda: server.answer()["last_restart"])  # read while OctoPrint already answers
    (line,) = re.findall(r"^    (curl .*)$", README, re.MULTILINE)
    line = line.replace("http://octopi.local", server.url)
    run = subprocess.run(["sh", "-c", line], env={"KEY": api_key("viewer")}, capture_output=True, text=True, check=True)
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    real, example = json.loads(run.stdout), json.loads(shown)
    assert shape(real, example) == shape(example, example)
    for field in ("kind", "clean"):
        assert real["last_restart"][field] == example["last_restart"][field]
    assert real["unseen_restarts"] == example["unseen_restarts"]


def test_page_shows_both_versions_at_its_bottom_left(server: OctoPrint, open_page: OpenPage) -> None:
    footer = open_page(server).locator("#footer_version")
    expect(footer).to_have_text(re.compile(r"OctoPrint\s+\d+\.\d+\S*\s+Python\s+3\.\d+\.\d+"))
    expect(footer).to_have_css("float", "left")


def test_python_line_asks_the_api(server: OctoPrint) -> None:
    (line,) = re.findall(r"^    (requests\..*)$", README, re.MULTILINE)
    line = line.replace("http://octopi.local", server.url)
    assert re.fullmatch(DURATION, eval(line, {"requests": requests, "KEY": api_key("viewer")}))


def test_commands_agree_with_the_server(server: OctoPrint) -> None:
    server.save({"display_format": "dhm"}).raise_for_status()
    show, as_json = re.findall(r"^    ~/oprint/bin/(octoprint .*)$", README, re.MULTILINE)
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


def test_prometheus_accepts_the_configuration(tmp_path: Path) -> None:
    (text,) = re.findall(r"^    scrape_configs:\n(?:    .*\n)+", README, re.MULTILINE)
    (tmp_path / "prometheus.yml").write_text(text)
    run = subprocess.run([*unpacked("promtool"), "check", "config", tmp_path / "prometheus.yml"], capture_output=True)
    assert run.returncode == 0, run.stderr


def test_sections_about_monitoring_are_short() -> None:
    for heading in ("Home Assistant", "Prometheus"):
        (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", README, re.DOTALL | re.MULTILINE)
        assert len([line for line in section.splitlines() if line]) <= 8
