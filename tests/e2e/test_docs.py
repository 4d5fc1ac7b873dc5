"""Run the blocks of code in docs/; test_readme.py runs the README's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote_plus

import jinja2
import pytest
import yaml
from playwright.sync_api import Page

from octoprint_server import api_key, free_port
from octoprint_uptime.mqtt import Place, discovery
from page_parts import seed
from prompt import DURATION, PROMPT
from recorded_runs import end, moment, restarts, rows_of_any_print, until
from runs import Run
from support import ENDPOINT, MakeServer, OctoPrint, OpenPage, serving
from system import unpacked

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
KILLED_WHILE_PRINTING = [Run("a", 30, 20, "clean"), Run("b", 19, 5, None, "parts/benchy.gcode")]

# Each block of code by its page and by words that no other block there has.
RUN = {
    ("api", "curl -s"),
    ("api", '"command"'),
    ("api", "octoprint plugins"),
    ("api", '"figures"'),
    ("integration", "data.uptime_note"),
    ("integration", "OctoPrint.plugins.octoprint_uptime.get()"),
    ("integration", "simpleApiCommand"),
    ("integration", '{"error"'),
    ("integration", "import format_uptime"),
    ("integration", "get_helpers"),
    ("integration", "curl -s"),
    ("faq", "date -d"),
    ("monitoring", "type: entities"),
    ("monitoring", "not_from"),
    ("monitoring", "octopi.local:80"),
    ("monitoring", "alertmanagers"),
    ("monitoring", "inhibit_rules"),
    ("monitoring", "file_sd_configs"),
    ("monitoring", "__param_apikey"),
    ("recipes", 'days=1"'),
    ("recipes", "days=30"),
    ("recipes", "Host up for $(~"),
    ("recipes", "PS1="),
    ("recipes", ".mailed-restart"),
    ("recipes", "plugin_octoprint_uptime_restarted"),
    ("recipes", "value_json"),
    ("recipes", "RestartSec"),
    ("recipes", "online.txt"),
}
NOT_RUN = {
    ("recipes", "runuser"): "needs root, and a user pi with OctoPrint in his home",
    ("recipes", "bin/mail-restart"): "needs cron; the script that it calls is run",
    ("why", "get_throttled"): "needs systemd and a Raspberry Pi",
    ("why", "Storage=persistent"): "needs root and systemd",
    ("why", "usermod"): "needs root and a user pi",
    ("why", "Restart=on-failure"): "needs root and systemd; test_why.py compares it with the recipe, which is checked",
}


def blocks(page: str) -> list[str]:
    """Return the page's fenced and indented blocks."""
    fences = re.compile(r"^```[a-z]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?<=\n\n)(?:    .*\n)+", fences.sub("", PAGES[page]))
    return fences.findall(PAGES[page]) + [re.sub("^    ", "", text, flags=re.MULTILINE) for text in indented]


def block(page: str, words: str) -> str:
    assert (page, words) in RUN
    (found,) = (text for text in blocks(page) if words in text)
    return found


def at(server: OctoPrint, text: str) -> str:
    """Return the text with the address replaced by this server's."""
    assert "http://octopi.local" in text
    return text.replace("http://octopi.local", server.url)


def test_every_block_is_run_or_listed_as_not_run() -> None:
    known = [*RUN, *NOT_RUN]
    for page, text in PAGES.items():
        if "```{" not in text:  # those only include other files
            for each in blocks(page):
                assert len([words for its_page, words in known if its_page == page and words in each]) == 1, each
    for its_page, words in known:
        assert [words in each for each in blocks(its_page)].count(True) == 1, words


# OctoPrint integration, and the API


def paste(page: Page, script: str) -> None:
    """Run the script without waiting for a promise that it returns, which may fail on purpose."""
    page.evaluate(f"() => {{{script}}}")


def console_of(page: Page, script: str, count: int) -> list[str]:
    """Return the first ``count`` lines that the script writes to the console."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "log" else None)
    paste(page, script)
    for _ in range(100):
        if len(said) >= count:
            break
        page.wait_for_timeout(50)
    return said


def test_octoprints_client_reads_the_api(only_read: OctoPrint, open_page: OpenPage) -> None:
    said = console_of(open_page(only_read), block("integration", "data.uptime_note"), 3)
    answer = only_read.answer()
    assert re.fullmatch(rf"The host has been up for {DURATION}", said[0])
    assert re.fullmatch(rf"OctoPrint has been up for {DURATION}", said[1])
    assert said[2:] == [f"OctoPrint stopped unexpectedly after {answer['unseen_restart']['ended_after']}"]


def test_octoprints_client_shows_why_it_is_refused(
    only_read: OctoPrint, open_page: OpenPage, console_errors: list[str]
) -> None:
    page = open_page(only_read, "viewer")
    refusal = only_read.session("stranger").get(only_read.url + ENDPOINT)
    page.route(
        re.compile(ENDPOINT),
        lambda route: route.fulfill(status=refusal.status_code, json=refusal.json()),
    )
    with page.expect_console_message(lambda message: bool(re.fullmatch(r"Failed: .{10,}", message.text))):
        paste(page, block("integration", "data.uptime_note"))
    assert all("403" in error for error in console_errors)
    console_errors.clear()


def test_plugins_client_reads_the_api_and_formats(only_read: OctoPrint, open_page: OpenPage) -> None:
    script = block("integration", "OctoPrint.plugins.octoprint_uptime.get()")
    said = console_of(open_page(only_read), script, 2)
    (shown,) = re.findall(r"// (.*)$", script, re.MULTILINE)
    assert said[0] == shown
    assert re.fullmatch(r"(\d+d )?\d+h \d+m", said[1])


def test_page_dismisses_and_another_plugin_uses_the_helpers(make_server: MakeServer, open_page: OpenPage) -> None:
    lines = [line.split("  # ") for line in block("integration", "import format_uptime").splitlines() if line]
    helpers = "; ".join(line.split("  # ")[0] for line in block("integration", "get_helpers").splitlines())
    statement, *calls = [line for line, *_ in lines]
    prompt = PROMPT.format(lines=[*(f"{statement}; {call}" for call in calls), f"{helpers}; seconds"])
    server = make_server(extra_plugins={"prompt.py": prompt}, seed=seed(KILLED_WHILE_PRINTING))
    *texts, seconds = server.session("admin").get(f"{server.url}/api/plugin/prompt").json()
    assert texts == [f"{shown}\n" for _, shown in lines[1:]]
    assert float(seconds) == pytest.approx(server.answer()["seconds"], abs=2)

    until(lambda: server.answer()["unseen_restarts"] == 1)  # read by the log's own thread
    paste(open_page(server), block("integration", "simpleApiCommand"))
    until(lambda: server.answer()["unseen_restarts"] == 0)


def test_refusal_has_the_documented_body(only_read: OctoPrint) -> None:
    response = only_read.session("stranger").get(only_read.url + ENDPOINT)
    assert response.json() == json.loads(block("integration", '{"error"'))


@pytest.mark.parametrize(("method", "path", "status"), [("GET", f"{ENDPOINT}/", 404), ("PUT", ENDPOINT, 405)])
def test_octoprints_own_errors_have_only_error(only_read: OctoPrint, method: str, path: str, status: int) -> None:
    response = only_read.session("admin").request(method, only_read.url + path)
    assert (response.status_code, response.json().keys()) == (status, {"error"})


def test_groups_have_the_documented_permissions(only_read: OctoPrint) -> None:
    groups = only_read.session("admin").get(f"{only_read.url}/api/access/groups").json()["groups"]
    has = {
        group["name"]: {*group["permissions"]} for group in groups if group["key"] in ("users", "readonly", "guests")
    }
    documented = {"STATUS", "FILES_LIST", "CONTROL", "SETTINGS", "PRINT"}
    assert {name: permissions & documented for name, permissions in has.items()} == {
        "Operator": documented - {"SETTINGS"},
        "Read-only Access": {"STATUS", "FILES_LIST"},
        "Guests": set(),
    }


def test_connected_page_gets_the_event(make_server: MakeServer, open_page: OpenPage) -> None:
    line = 'self._event_bus.fire("plugin_octoprint_uptime_restarted", {"id": 7})'
    server = make_server(extra_plugins={"prompt.py": PROMPT.format(lines=[line])})
    page = open_page(server, "viewer")
    page.evaluate('OctoPrint.socket.onMessage("event", ({data}) => (window.heard ??= []).push(data))')
    server.session("admin").get(f"{server.url}/api/plugin/prompt").raise_for_status()
    page.wait_for_function(
        'window.heard?.some(({type, payload}) => type === "plugin_octoprint_uptime_restarted" && payload.id === 7)'
    )


@pytest.mark.parametrize("page", ["api", "integration"])
def test_curl_command_gets_an_answer(only_read: OctoPrint, page: str) -> None:
    run = shell(at(only_read, block(page, "curl -s")))
    assert json.loads(run.stdout).keys() == only_read.answer().keys()


def test_curl_commands_dismiss_the_notice_and_clear_the_log(make_server: MakeServer) -> None:
    server = make_server(seed=seed(KILLED_WHILE_PRINTING))
    until(lambda: server.answer()["unseen_restarts"] == 1)
    dismiss, clear = at(server, block("api", '"command"')).splitlines()
    last = server.answer()["last_restart"]["id"]
    admin = {"KEY": api_key("admin")}
    assert shell(dismiss.replace('"id": 7', f'"id": {last}'), admin).stdout == ""
    assert server.answer()["unseen_restarts"] == 0
    assert shell(clear, admin).stdout == ""
    assert server.answer()["last_restart"] is None


def test_answer_for_30_days_has_the_fields_of_the_example(only_read: OctoPrint) -> None:
    shown = json.loads(block("api", '"figures"'))
    real = only_read.session("viewer").get(f"{only_read.url}{ENDPOINT}?days=30").json()
    assert real.keys() == shown.keys()
    assert real["restarts"][0].keys() == shown["restarts"][0].keys()
    assert real["history"].keys() == shown["history"].keys()
    assert real["history"]["octoprint"][0].keys() == shown["history"]["octoprint"][0].keys()
    assert real["history"]["figures"].keys() == shown["history"]["figures"].keys()


def test_commands_print_the_uptime(only_read: OctoPrint) -> None:
    show, as_json = block("api", "octoprint plugins").splitlines()
    run = only_read.shell(show)
    assert (run.returncode, run.stderr) == (0, "")
    assert re.fullmatch(DURATION, run.stdout.splitlines()[-1])
    answer = json.loads(only_read.shell(as_json).stdout)
    assert answer.keys() < only_read.answer().keys()


# The recipes


def shell(line: str, places: dict[str, str] | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the line in bash with a read-only user's key, and check its exit code."""
    environment = {"KEY": api_key("viewer"), "PATH": os.environ["PATH"], **(places or {})}
    run = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True)
    assert run.returncode == code, run.stderr
    return run


def test_lost_prints_of_a_day_are_listed(only_read: OctoPrint) -> None:
    line = at(only_read, block("recipes", 'days=1"'))
    assert shell(line).stdout == "benchy.gcode was lost, progress: 43.7%\n"


def test_lost_print_of_an_unknown_progress_is_listed() -> None:
    query = block("recipes", 'days=1"').partition(" | ")[2]
    answer = {"restarts": [{"lost_print": None}, {"lost_print": {"file": "cube.gcode", "progress": None}}]}
    assert shell(f"printf %s '{json.dumps(answer)}' | {query}").stdout == "cube.gcode was lost, progress: unknown\n"


def test_availability_is_a_percentage_of_the_recorded_time(only_read: OctoPrint) -> None:
    line = at(only_read, block("recipes", "days=30"))
    figures = only_read.session("viewer").get(f"{only_read.url}{ENDPOINT}?days=30").json()["history"]["figures"]
    least, most = (100 * figures[f"running_seconds_{bound}"] / figures["recorded_seconds"] for bound in ("min", "max"))
    assert 0 < least < most < 100
    shown = re.fullmatch(r"([\d.]+)% to ([\d.]+)%\n", shell(line).stdout)
    assert shown
    shown_least, shown_most = map(float, shown.groups())
    # Rounded to tenths, the minimum down and the maximum up, a moment before.
    assert 0 <= least - shown_least <= 0.11
    assert -0.1 <= most - shown_most <= 0.01


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ((1000, 1000, 1000), "100%\n"),
        ((9999, 9999, 10000), "99.9%\n"),
        ((9996, 10000, 10000), "99.9% to 100%\n"),
        ((1, 2, 3), "33.3% to 66.7%\n"),
        ((2, 2, 3), "66.6%\n"),
        ((9980, 9999, 10000), "99.8% to 99.9%\n"),
        ((9991, 9999, 10000), "99.9%\n"),
        ((500, None, 1000), "50% to 100%\n"),
        ((0, 0, 1000), "0%\n"),
        ((0, 0, 0), ""),
        (None, ""),
    ],
)
def test_availability_is_rounded_outward(figures: tuple[int | None, ...] | None, shown: str) -> None:
    names = ("running_seconds_min", "running_seconds_max", "recorded_seconds")
    history = None if figures is None else {"figures": dict(zip(names, figures, strict=True))}
    line = block("recipes", "days=30").partition(" | ")[2]
    assert shell(f"printf %s '{json.dumps({'history': history})}' | {line}").stdout == shown


def test_date_shows_a_timestamp_in_the_local_time_zone(only_read: OctoPrint) -> None:
    shown = shell(at(only_read, block("faq", "date -d")), {"TZ": "Etc/GMT-3"}).stdout.strip()
    assert moment(f"{shown.replace(' ', 'T')}+0300") == moment(only_read.answer()["octoprint_started_at"])


def test_login_and_prompt_show_the_uptime(only_read: OctoPrint) -> None:
    run = only_read.shell(block("recipes", "Host up for $(~").replace("~/oprint/bin/", ""))
    assert re.fullmatch(rf"Host up for {DURATION}\n", run.stdout)
    assert run.stderr == ""
    prompt = "PS1='$ '\n" + block("recipes", "PS1=") + 'printf %s "${PS1@P}"'
    assert re.fullmatch(r"\[(\d+d )?\d+h \d+m\] \$ ", shell(at(only_read, prompt)).stdout)
    nobody = prompt.replace("http://octopi.local", f"http://127.0.0.1:{free_port()}")
    assert shell(nobody).stdout == "$ "


def test_one_email_is_sent_for_each_unexpected_shutdown(only_read: OctoPrint, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    (tmp_path / "mail").write_text(f'#!/bin/sh\necho "$@" >> {sent}\ncat >> {sent}\n')
    (tmp_path / "mail").chmod(0o755)
    places = {"HOME": str(tmp_path), "LOGNAME": "pi", "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    script = block("recipes", ".mailed-restart")
    away = script.replace("http://octopi.local", f"http://127.0.0.1:{free_port()}")
    wrong = {**places, "KEY": "wrong"}
    here = at(only_read, script)
    for each, code, who in (
        (away, 7, places),
        (here, 22, wrong),
        (here, 0, places),
        (here, 0, places),
        (away, 7, places),
    ):
        run = shell(each, who, code)
        assert (run.stdout, run.stderr) == ("", "")
    restart = only_read.answer()["last_restart"]
    assert sent.read_text().splitlines() == [
        "-s OctoPrint restarted pi",
        f"OctoPrint stopped between {restart['ended_after']} and {restart['ended_before']} (UTC).",
        "Restarted: host",
        "Lost print: benchy.gcode, progress 43.7%",
    ]
    (tmp_path / ".mailed-restart").write_text("1\n")  # an earlier shutdown
    shell(here, places)
    assert len(sent.read_text().splitlines()) == 8


def test_mail_is_sent_after_a_clean_shutdown_with_a_cause_or_a_lost_print() -> None:
    (query,) = re.findall(r"jq -c '(.*?)'", block("recipes", ".mailed-restart"))
    (undismissed,) = re.findall(r"`(select\([^`]*dismissed[^`]*)`\.", PAGES["recipes"], re.MULTILINE)
    restarts = [
        {"id": 5, "clean": True, "cause": None, "lost_print": None, "dismissed": False},
        {"id": 4, "clean": True, "cause": "out_of_memory", "lost_print": None, "dismissed": True},
        {"id": 3, "clean": True, "cause": None, "lost_print": {}, "dismissed": True},
        {"id": 2, "clean": False, "cause": None, "lost_print": None, "dismissed": False},
    ]
    cases = (
        (query, restarts, 4),
        (query, restarts[2:], 3),
        (re.sub(r"select\(.*?\)\)", undismissed, query), restarts, 2),
    )
    for each, among, number in cases:
        found = shell(f"printf %s '{json.dumps({'restarts': among})}' | jq -c '{each}'").stdout
        assert json.loads(found)["id"] == number


Pushed = tuple[str, list[tuple[str | None, str]]]


@pytest.fixture
def pushed() -> Iterator[Pushed]:
    """Yield the address of a server that replaces ntfy, and the titles and messages that it gets."""
    messages: list[tuple[str | None, str]] = []

    def handle(request: BaseHTTPRequestHandler) -> bytes:
        text = request.rfile.read(int(request.headers["Content-Length"])).decode()
        messages.append((request.headers["Title"], text))
        return b""

    with serving(handle) as address:
        yield address, messages


def test_message_is_pushed_after_each_unexpected_shutdown(make_server: MakeServer, pushed: Pushed) -> None:
    address, messages = pushed
    text = block("recipes", "plugin_octoprint_uptime_restarted")
    assert "https://ntfy.sh" in text
    events = yaml.safe_load(text.replace("https://ntfy.sh", address))

    def prepare(basedir: Path) -> None:
        seed(KILLED_WHILE_PRINTING)(basedir)
        config = json.loads((basedir / "config.yaml").read_text())
        (basedir / "config.yaml").write_text(json.dumps({**config, **events}))

    server = make_server(seed=prepare)
    until(lambda: messages)
    end(server, "clean")
    server.start()
    until(lambda: len(rows_of_any_print(server)) == 4)
    end(server, "killed")
    server.start()
    until(lambda: len(messages) > 1)
    killed, _, printing, _ = restarts(server)
    title = "OctoPrint restarted"
    assert messages == [
        (title, f"host restarted; OctoPrint stopped after {printing['ended_after']}; a print was lost"),
        (title, f"octoprint restarted; OctoPrint stopped after {killed['ended_after']}; no print was lost"),
    ]


@pytest.mark.parametrize(
    ("clean", "cause", "lost_print", "pushes"),
    [
        ("True", "None", "None", 0),
        ("True", "out_of_memory", "None", 1),
        ("False", "None", "None", 1),
        ("True", "None", "'{'z': 1}'", 1),
        ("False", "crashed", "'{'z': 1}'", 1),
    ],
)
def test_message_is_pushed_after_a_lost_print_or_an_unexpected_shutdown(
    pushed: Pushed, clean: str, cause: str, lost_print: str, pushes: int
) -> None:
    address, messages = pushed
    command = yaml.safe_load(block("recipes", "plugin_octoprint_uptime_restarted"))["events"]["subscriptions"][0][
        "command"
    ]
    values = {"clean": clean, "cause": cause, "lost_print": lost_print, "kind": "host", "ended_after": "then"}
    shell(command.format(**values).replace("https://ntfy.sh", address))
    lost = "no" if lost_print == "None" else "a"
    text = f"host restarted; OctoPrint stopped after then; {lost} print was lost"
    assert messages == [("OctoPrint restarted", text)] * pushes


@pytest.mark.parametrize("service", ["discord.com", "api.telegram.org", "api.pushover.net"])
def test_commands_for_other_services_send_the_message(service: str, pushed: Pushed) -> None:
    """Only what they send: the services themselves are not tested."""
    address, messages = pushed
    (line,) = re.findall(rf"^  `(curl .*{re.escape(service)}.*)`$", PAGES["recipes"], re.MULTILINE)
    shell("lost=a; " + line.replace("{kind}", "host").replace(f"https://{service}", address))
    ((_, text),) = messages
    assert "host restarted, a print was lost" in unquote_plus(text)


def test_uptime_kumas_field_changes_after_an_unexpected_shutdown(server: OctoPrint, only_read: OctoPrint) -> None:
    rows = dict(re.findall(r"^\| (\w[\w ]*) \| `(.*?)` \|$", PAGES["recipes"], re.MULTILINE))
    assert at(server, rows["URL"]) == server.url + ENDPOINT
    assert [*json.loads(rows["Headers"])] == ["X-Api-Key"]
    names, expected = rows["Json Query"].split(" + "), rows["Expected Value"]
    assert str(sum(server.answer()[name] for name in names)) == expected
    until(lambda: str(sum(only_read.answer()[name] for name in names)) != expected)
    assert "`unseen_lost_prints`" in PAGES["recipes"]
    assert (server.answer()["unseen_lost_prints"], only_read.answer()["unseen_lost_prints"]) == (0, 3)


def test_home_assistants_templates_give_states(server: OctoPrint, only_read: OctoPrint) -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!secret", lambda *_: api_key("viewer"))
    (rest,) = yaml.load(block("recipes", "value_json"), Loader)["rest"]
    assert rest["headers"] == {"X-Api-Key": api_key("viewer")}

    def states(octoprint: OctoPrint) -> list[str]:
        assert at(octoprint, rest["resource"]) == octoprint.url + ENDPOINT
        answer = octoprint.answer("viewer")
        templates = [each["value_template"] for each in rest["sensor"] + rest["binary_sensor"]]
        return [jinja2.Template(text).render(value_json=answer).strip() for text in templates]

    started = server.answer()["octoprint_started_at"]
    assert states(server) == [started, "none", "False", "False"]
    started = until(lambda: only_read.answer()["last_restart"] and only_read.answer())["octoprint_started_at"]
    assert states(only_read) == [started, "host, unexpected shutdown", "True", "True"]


# Monitoring


def test_card_and_automation_name_entities_that_exist() -> None:
    names = {topic.split("/")[1] + "." + message["name"] for topic, message in discovery(Place("", None, "")).items()}
    entities = {name.replace(".", ".octoprint_").replace(" ", "_").lower() for name in names}
    card = yaml.safe_load(block("monitoring", "type: entities"))
    assert set(card["entities"]) < entities
    (trigger,) = yaml.safe_load(block("monitoring", "not_from"))["triggers"]
    assert trigger["entity_id"] in entities
    assert f"{trigger['entity_id']}/config".endswith("lost_prints/config")


@pytest.mark.parametrize(("old", "new", "fires"), [("3", "4", True), ("4", "0", False)])
def test_automation_runs_only_if_the_total_rises(old: str, new: str, fires: bool) -> None:
    (condition,) = yaml.safe_load(block("monitoring", "not_from"))["conditions"]
    trigger = {"from_state": {"state": old}, "to_state": {"state": new}}
    assert jinja2.Template(condition).render(trigger=trigger) == str(fires)


@pytest.mark.parametrize("words", ["octopi.local:80", "file_sd_configs"])
def test_prometheus_accepts_the_configuration(tmp_path: Path, words: str) -> None:
    (tmp_path / "prometheus.yml").write_text(block("monitoring", words) + block("monitoring", "alertmanagers"))
    (tmp_path / "printers.yml").write_text(block("monitoring", "__param_apikey"))
    shutil.copy(DOCS.parent / "extras" / "prometheus" / "alerts.yml", tmp_path)
    command = [*unpacked("promtool"), "check", "config", "prometheus.yml"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "SUCCESS: 5 rules found" in run.stdout


def test_table_of_entities_says_which_stay_available() -> None:
    rows = re.findall(r"^\| (.*?) \| .* \| (available|unavailable) \|$", PAGES["monitoring"], re.MULTILINE)
    messages = discovery(Place("", "will", "")).values()
    assert rows == [(each["name"], "unavailable" if "avty_t" in each else "available") for each in messages]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd to ask")
def test_systemd_accepts_the_file(tmp_path: Path) -> None:
    (path,) = re.findall(r"`/etc/systemd/system/(octoprint.*?\.conf)`", PAGES["recipes"])
    drop_in = tmp_path / path
    drop_in.parent.mkdir()
    drop_in.write_text(block("recipes", "RestartSec"))
    (tmp_path / "octoprint.service").write_text("[Service]\nExecStart=/bin/true\n")
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "octoprint.service")]
    run = subprocess.run(
        command, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_check_notices_that_octoprint_is_down(server: OctoPrint) -> None:
    line = block("recipes", "online.txt").removeprefix("*/5 * * * * ")
    assert shell(at(server, line)).stdout == ""
    nobody = line.replace("http://octopi.local", f"http://127.0.0.1:{free_port()}")
    assert shell(nobody).stdout == "OctoPrint does not respond\n"
