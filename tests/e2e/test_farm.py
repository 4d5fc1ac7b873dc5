"""Three real OctoPrints, watched by a real Prometheus and Alertmanager with the shipped configuration and rules."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from namespaces import with_files
from octoprint_server import api_key, free_port
from recorded_runs import connect, end, print_file, state, until
from support import ENDPOINT, GROUPS, USERS, OctoPrint, serving
from system import unpacked

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
ALERTS = (ROOT / "extras" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
LEFT, MIDDLE, RIGHT = PRINTERS = ("left", "middle", "right")

Alerts = set[tuple[str, str]]  # the name of each, and its printer


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, OctoPrint]]:
    """Give an OctoPrint for each printer, of each installed version in turn."""
    environments = sorted(path.parent for path in (ROOT / ".venv").glob("octoprint-*/.plugin"))
    servers = {}
    for name, environment in zip(PRINTERS, islice(cycle(environments), 3), strict=True):
        servers[name] = OctoPrint(environment / "bin" / "octoprint", tmp_path / name)
        servers[name].prepare(USERS, GROUPS)
    yield servers
    for server in servers.values():
        server.stop()
        server.check_log()


class Webhook:
    """What Alertmanager sends its alerts to."""

    def __init__(self) -> None:
        self.firing: Alerts = set()
        self.printers: set[str] = set()

    def receive(self, handler: BaseHTTPRequestHandler) -> bytes:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        for alert in body["alerts"]:
            key = (alert["labels"]["alertname"], alert["labels"]["printer"])
            self.printers.add(key[1])
            if alert["status"] == "firing":
                self.firing.add(key)
            else:
                self.firing.discard(key)
        return b""


@contextlib.contextmanager
def running(folder: Path, program: str, *arguments: str) -> Iterator[None]:
    """Run a program. Debian's Alertmanager has files in /usr/share."""
    share = ROOT / ".venv" / "debian" / "usr" / "share"
    wrapper = with_files({"/usr/share": share}) if share.exists() else []
    with open(folder / f"{program}.log", "wb") as log:
        command = [*wrapper, *unpacked(program), *arguments]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield
        assert process.poll() is None, (folder / f"{program}.log").read_text()
    finally:
        process.kill()
        process.wait()


def documented(beginning: str) -> Any:
    """Return the YAML in the docs that matches this regular expression at its beginning."""
    (text,) = re.findall(rf"^```yaml\n({beginning}[^`]*)^```", DOCS, re.MULTILINE)
    return yaml.safe_load(text)


def configuration(alertmanager: int) -> dict[str, Any]:
    """Return the documented configuration for many printers, but with short intervals."""
    found = documented("rule_files[^`]*file_sd_configs")
    found["scrape_configs"][0]["scrape_interval"] = "1s"
    return {
        "global": {"evaluation_interval": "1s"},
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        **found,
    }


def printers(servers: dict[str, OctoPrint]) -> list[dict[str, Any]]:
    """Return the documented list of printers, but with these servers."""
    like = documented("- targets")[0]
    return [
        {
            "targets": [f"127.0.0.1:{server.port}"],
            "labels": {**like["labels"], "printer": name, "__param_apikey": api_key("viewer")},
        }
        for name, server in servers.items()
    ]


@pytest.mark.nightly
def test_alerts_name_exactly_the_printers_that_need_somebody(tmp_path: Path, servers: dict[str, OctoPrint]) -> None:
    for server in servers.values():
        server.start()
    connect(servers[LEFT])
    print_file(servers[LEFT], "flat.gcode")
    until(lambda: state(servers[LEFT]) == "Printing")

    webhook, prometheus, alertmanager = Webhook(), free_port(), free_port()
    with ExitStack() as stack:
        url = stack.enter_context(serving(webhook.receive))
        receiver = {"name": "test", "webhook_configs": [{"url": url}]}
        route = {"receiver": "test", "group_by": ["..."], "group_wait": "1s", "group_interval": "1s"}
        files = {
            "prometheus.yml": configuration(alertmanager),
            "printers.yml": printers(servers),
            "alertmanager.yml": {"route": route, "receivers": [receiver], **documented("inhibit_rules")},
        }
        for name, content in files.items():
            (tmp_path / name).write_text(json.dumps(content))
        (tmp_path / "alerts.yml").write_text(ALERTS.replace("for: 2m", "for: 2s"))
        listen = f"127.0.0.1:{alertmanager}"
        arguments = ["--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="]
        stack.enter_context(running(tmp_path, "prometheus-alertmanager", *arguments, f"--web.listen-address={listen}"))
        listen = f"127.0.0.1:{prometheus}"
        arguments = ["--config.file=prometheus.yml", "--storage.tsdb.path=metrics"]
        stack.enter_context(running(tmp_path, "prometheus", *arguments, f"--web.listen-address={listen}"))

        def query(text: str) -> dict[str, float]:
            """Return the values by printer."""
            try:
                response = requests.get(f"http://{listen}/api/v1/query", params={"query": text})
            except requests.ConnectionError:
                return {}
            result = response.json()["data"]["result"] if response.ok else []
            return {each["metric"]["printer"]: float(each["value"][1]) for each in result}

        until(lambda: query("octoprint_uptime_printing") == {LEFT: 1, MIDDLE: 0, RIGHT: 0})
        assert query('up{job="octoprint"}') == dict.fromkeys(PRINTERS, 1)
        assert webhook.firing == set()

        end(servers[LEFT], "killed")
        end(servers[MIDDLE], "killed")
        until(lambda: query("up") == {LEFT: 0, MIDDLE: 0, RIGHT: 1})
        until(lambda: webhook.firing)
        assert webhook.firing == {("OctoPrintUnreachableWhilePrinting", LEFT)}

        servers[LEFT].start()
        servers[MIDDLE].start()
        until(lambda: webhook.firing == {("OctoPrintLostPrint", LEFT), ("OctoPrintUnexpectedShutdown", MIDDLE)})

        for name in (LEFT, MIDDLE):
            restart = servers[name].answer()["last_restart"]
            command = {"command": "dismiss", "id": restart["id"]}
            servers[name].session("admin").post(servers[name].url + ENDPOINT, json=command).raise_for_status()
        until(lambda: webhook.firing == set())
        assert webhook.printers == {LEFT, MIDDLE}
