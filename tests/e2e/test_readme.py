"""The README's lines, pasted."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import requests

from octoprint_server import api_key
from support import OctoPrint, OpenPage

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_curl_line_gives_the_answer_shown(server: OctoPrint) -> None:
    (line,) = re.findall(r"^    (curl .*)$", README, re.MULTILINE)
    line = line.replace("http://octopi.local", server.url)
    run = subprocess.run(["sh", "-c", line], env={"KEY": api_key("viewer")}, capture_output=True, text=True, check=True)
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    real, example = json.loads(run.stdout), json.loads(shown)
    assert list(real) == list(example)
    assert {key: type(value) for key, value in real.items()} == {key: type(value) for key, value in example.items()}


def test_the_javascript_line_works_in_the_page(server: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(server)
    (line,) = re.findall(r"```js\n(.*?)```", README, re.DOTALL)
    with page.expect_console_message(lambda message: bool(re.fullmatch(r"(\d+[dhms] ?)+", message.text))):
        page.evaluate(line)


def test_the_python_line_asks_the_api(server: OctoPrint) -> None:
    (line,) = re.findall(r"^    (requests\..*)$", README, re.MULTILINE)
    line = line.replace("http://octopi.local", server.url)
    assert re.fullmatch(r"(\d+[dhms] ?)+", eval(line, {"requests": requests, "KEY": api_key("viewer")}))
