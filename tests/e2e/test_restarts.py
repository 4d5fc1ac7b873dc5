"""The restart log, from a run's end to what the next one tells of it, on real servers and the virtual printer."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from namespaces import with_boot_clock, with_files, with_slow_disk, with_wall_clock
from prompt import PROMPT
from recorded_runs import (
    RECORDER,
    check_order,
    connect,
    database,
    end,
    events,
    job,
    jog,
    moment,
    opened,
    pause,
    print_file,
    printing,
    restarts,
    rows,
    rows_of_any_print,
    state,
    system_info,
    until,
)
from stopwatch import STOPWATCH, took
from support import ENDPOINT, GROUPS, ID, USERS, MakeServer, OctoPrint, boot_clock, check_error

FIELDS = {
    *("id", "kind", "clean", "run_started_at", "ended_after", "ended_before", "host_started_at", "started_at"),
    *("downtime_seconds_min", "downtime_seconds_max", "octoprint_version", "dismissed"),
    *("lost_print", "unattended_print"),
}
LOST_PRINT_FIELDS = {"file", "path", "origin", "progress", "position_bytes", "z", "seen_at", "started_at"}
RANDOM_KILLS = 5
WATCHERS = {"name": "Watchers", "description": "", "permissions": ["STATUS"], "subgroups": [], "default": False}


class Start(NamedTuple):
    """What could be seen soon after a start."""

    answer: dict[str, Any]
    listed: list[dict[str, Any]]
    events: list[dict[str, Any]]
    system_info: tuple[Any, Any]
    rows: list[dict[str, Any]]
    before: float  # the wall clock before the end of the run before, and after
    after: float

    @property
    def last(self) -> dict[str, Any]:
        last: dict[str, Any] = self.answer["last_restart"]
        return last


class Story(NamedTuple):
    """A server that was restarted again and again, what was seen at each start, and that server, running."""

    starts: dict[str, Start]
    server: OctoPrint


def begin(server: OctoPrint, how: str | None = None) -> Start:
    """End the server that way, if it runs, start it, and look at it once it knows what happened."""
    again = database(server).exists()
    before = time.time()
    if how is not None:
        end(server, how)
    after = time.time()
    told = len(events(server))
    server.start()
    if again:
        until(lambda: len(events(server)) > told)
    else:
        until(lambda: database(server).exists() and rows(server))
    return Start(
        server.answer(), restarts(server), events(server)[told:], system_info(server), rows(server), before, after
    )


@pytest.fixture(scope="session")
def story(octoprint_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    server = OctoPrint(octoprint_executable, tmp_path_factory.mktemp("restarts"))
    server.prepare({**USERS, "watcher": {"groups": ["watchers"]}}, {**GROUPS, "watchers": WATCHERS}, enable=["backup"])
    server.add_plugins({"recorder.py": RECORDER})
    try:
        yield Story(restart_again_and_again(server), server)
    finally:
        server.stop()
    server.check_log()


def restart_again_and_again(server: OctoPrint) -> dict[str, Start]:
    starts = {"first": begin(server)}
    starts["stopped"] = begin(server, "clean")
    starts["killed"] = begin(server, "killed")

    connect(server)
    print_file(server, "short.gcode")
    until(lambda: printing(server))
    until(lambda: state(server) == "Operational" and not printing(server))
    starts["killed after a print"] = begin(server, "killed")

    connect(server)
    print_file(server, "parts/long.gcode")
    until(lambda: (job(server)["progress"]["completion"] or 0) > 0.2)
    pause(server)
    pause(server, "resume")
    until(lambda: (printing(server) or {}).get("print_percent"))
    starts["killed while printing"] = begin(server, "killed")

    connect(server)
    jog(server)
    print_file(server, "flat.gcode")
    until(lambda: job(server)["progress"]["completion"] is not None)
    pause(server)
    starts["killed while paused"] = begin(server, "killed")

    connect(server)
    print_file(server, "parts/long.gcode")
    until(lambda: printing(server) and job(server)["progress"]["completion"] is not None)
    starts["stopped while printing"] = begin(server, "clean")

    for number in range(RANDOM_KILLS):
        kill_while_busy(server)
        starts[f"killed while busy {number}"] = begin(server)
    return starts


def kill_while_busy(server: OctoPrint) -> None:
    """Kill it at a random moment, with settings being saved and prints starting and ending."""

    admin = server.session("admin")

    def busy() -> None:
        try:
            connect(server)
            while True:
                server.save({"poll_interval_seconds": random.randrange(1, 3600)})
                with suppress(requests.HTTPError):  # it prints already
                    print_file(server, "short.gcode")
                admin.post(f"{server.url}/api/job", json={"command": "pause", "action": "toggle"})
        except (requests.ConnectionError, AssertionError):
            return  # it is gone

    thread = threading.Thread(target=busy)
    thread.start()
    time.sleep(random.uniform(0.2, 3))
    end(server, "killed")
    thread.join()
    rows(server)


# One boot


@pytest.mark.each_octoprint
def test_at_first_nothing_was_restarted(story: Story) -> None:
    first = story.starts["first"]
    assert first.answer["last_restart"] is None
    assert (first.listed, first.events, first.system_info) == ([], [], (None, None))
    (row,) = first.rows
    assert row["ended"] is None
    assert row["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@pytest.mark.parametrize(
    ("name", "clean", "lost"),
    [
        ("stopped", True, False),
        ("killed", False, False),
        ("killed after a print", False, False),
        ("killed while printing", False, True),
        ("killed while paused", False, True),
        ("stopped while printing", True, True),
    ],
)
@pytest.mark.each_octoprint
def test_a_restart_is_recorded_and_told(
    story: Story, name: str, clean: bool, lost: bool, octoprint_version: str
) -> None:
    start = story.starts[name]
    last = start.last
    assert last.keys() == FIELDS
    assert (last["kind"], last["clean"], last["dismissed"]) == ("octoprint", clean, False)
    assert (last["host_started_at"], last["octoprint_version"]) == (None, octoprint_version)
    assert (last["lost_print"] is not None) is lost
    ended, began = start.rows[-2:]
    assert last["id"] == ended["id"]
    assert (ended["ended"], began["ended"]) == ("clean" if clean else None, None)
    assert ended["boot"] == began["boot"]
    assert start.listed[0] == last
    assert len(start.listed) == len(start.rows) - 1
    # Everybody who has STATUS may hear the event.
    assert start.events == [without_file(last)]
    text = f"octoprint, {'clean' if clean else 'unexpected'} shutdown{', a print was lost' if lost else ''}"
    assert start.system_info == (text, last["started_at"])


@pytest.mark.each_octoprint
def test_the_moments_and_the_downtime_are_those_of_the_gap(story: Story) -> None:
    clean, killed = (story.starts[name] for name in ("stopped", "killed"))
    for start in (clean, killed):
        assert start.last["started_at"] == start.answer["octoprint_started_at"]
        assert moment(start.last["started_at"]) >= start.after - 2
    assert clean.last["run_started_at"] == story.starts["first"].answer["octoprint_started_at"]
    assert clean.last["ended_after"] == clean.last["ended_before"]
    assert clean.before - 2 <= moment(clean.last["ended_after"]) <= clean.after + 2
    assert clean.last["downtime_seconds_min"] == clean.last["downtime_seconds_max"]
    assert clean.last["downtime_seconds_max"] <= time.time() - clean.before
    # Nothing was written as it was killed, so all that is known is when it was last seen and that it is back.
    assert moment(killed.last["ended_after"]) <= killed.before + 2
    assert killed.last["ended_before"] == killed.last["started_at"]
    assert killed.last["downtime_seconds_min"] == 0
    gap = moment(killed.last["started_at"]) - moment(killed.last["ended_after"])
    assert killed.last["downtime_seconds_max"] == pytest.approx(gap, abs=1.1)


@pytest.mark.parametrize(
    ("name", "path", "z"),
    [
        ("killed while printing", "parts/long.gcode", 12.4),
        ("killed while paused", "flat.gcode", None),  # the print head was raised by hand before, and never since
        ("stopped while printing", "parts/long.gcode", 12.4),
    ],
)
@pytest.mark.each_octoprint
def test_a_lost_print_is_told_with_its_file_and_how_far_it_was(
    story: Story, name: str, path: str, z: float | None
) -> None:
    start = story.starts[name]
    lost = start.last["lost_print"]
    assert lost.keys() == LOST_PRINT_FIELDS
    assert (lost["path"], lost["file"], lost["origin"]) == (path, path.rpartition("/")[2], "local")
    assert 0 < lost["progress"] < 50 if name == "killed while printing" else 0 <= lost["progress"] < 50
    assert 0 <= lost["position_bytes"] < 5000
    assert lost["z"] == z
    moments = [start.last["run_started_at"], lost["started_at"], lost["seen_at"], start.last["ended_after"]]
    assert moments == sorted(moments)


@pytest.mark.each_octoprint
def test_ten_restarts_in_a_row_are_listed_in_order(story: Story) -> None:
    listed = restarts(story.server)
    assert len(listed) == 6 + RANDOM_KILLS
    assert [each["clean"] for each in reversed(listed)] == [True, False, False, False, False, True, *[False] * 5]
    check_order(listed)
    for earlier, later in zip(listed[1:], listed, strict=False):
        assert earlier["started_at"] == later["run_started_at"]
    assert all(each["started_at"] is not None for each in listed)


@pytest.mark.each_octoprint
def test_what_was_killed_at_random_moments_makes_sense(story: Story) -> None:
    for number in range(RANDOM_KILLS):
        start = story.starts[f"killed while busy {number}"]
        assert (start.last["kind"], start.last["clean"]) == ("octoprint", False)
        assert start.last["lost_print"] is None or start.last["lost_print"]["file"] == "short.gcode"
        assert start.listed[1:] == list(story.starts.values())[6 + number].listed
        check_order(start.listed)


# Who may


@pytest.mark.each_octoprint
def test_a_files_name_is_only_for_who_may_see_files(story: Story) -> None:
    listed = restarts(story.server)
    watched = restarts(story.server, "watcher")
    assert sum(each["lost_print"] is not None for each in watched) >= 3
    assert all(each["lost_print"] is None or each["lost_print"]["origin"] == "local" for each in watched)
    assert watched == [without_file(each) for each in listed]
    assert restarts(story.server, "viewer") == listed
    assert story.server.answer("watcher")["last_restart"] == watched[0]
    assert story.server.answer("viewer")["last_restart"] == listed[0]


def without_file(restart: dict[str, Any]) -> dict[str, Any]:
    return {**restart, "lost_print": restart["lost_print"] and {**restart["lost_print"], "file": None, "path": None}}


def not_recorded(server: OctoPrint) -> list[dict[str, Any]]:
    """When nothing was recorded, as the API tells it beside the list."""
    response = server.session("admin").get(server.url + ENDPOINT, params={"restarts": "1"})
    found: list[dict[str, Any]] = response.json()["not_recorded"]
    return found


@pytest.mark.parametrize(("user", "status"), [("stranger", 403), ("former", 403), (None, 403)])
@pytest.mark.each_octoprint
def test_who_has_no_status_sees_none_of_it(story: Story, user: str | None, status: int) -> None:
    session = story.server.session(user)
    response = session.get(story.server.url + ENDPOINT, params={"restarts": "5"})
    assert response.status_code == status
    assert response.json().keys() == {"error", "uptime_available"}
    before = story.server.answer()["last_restart"]
    post = session.post(story.server.url + ENDPOINT, json={"command": "dismiss", "id": before["id"]})
    assert post.status_code in (400, 403)  # without a login OctoPrint misses the CSRF token first
    assert story.server.answer()["last_restart"] == before


@pytest.mark.parametrize("user", ["viewer", "operator", "watcher"])
@pytest.mark.each_octoprint
def test_only_who_has_settings_may_clear_it(story: Story, user: str) -> None:
    before = restarts(story.server)
    response = story.server.session(user).post(story.server.url + ENDPOINT, json={"command": "clear"})
    assert response.status_code == 403
    assert response.json().keys() == {"error", "uptime_available"}
    assert restarts(story.server) == before


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("2", 2), ("1000", 6 + RANDOM_KILLS)])
@pytest.mark.each_octoprint
def test_as_many_are_listed_as_were_asked_for(story: Story, text: str, count: int) -> None:
    response = story.server.session("viewer").get(story.server.url + ENDPOINT, params={"restarts": text})
    assert response.json()["restarts"] == restarts(story.server)[:count]
    assert len(response.json()["restarts"]) == count


@pytest.mark.each_octoprint
def test_those_of_some_days_are_listed(story: Story) -> None:
    session = story.server.session("viewer")
    answer = session.get(story.server.url + ENDPOINT, params={"days": "1"}).json()
    assert answer["restarts"] == restarts(story.server)
    assert {"recorded_since", "not_recorded"} < answer.keys()
    both = session.get(story.server.url + ENDPOINT, params={"days": "366", "restarts": "2"}).json()
    assert both["restarts"] == restarts(story.server)[:2]


@pytest.mark.parametrize(("name", "most"), [("restarts", 1000), ("days", 366)])
@pytest.mark.parametrize("text", ["0", "1001", "-1", "abc", "", "1.5", "1e2", "9" * 5000, "\u0664", "1,2", " 1"])
@pytest.mark.each_octoprint
def test_another_count_is_refused(story: Story, name: str, most: int, text: str) -> None:
    response = story.server.session("viewer").get(story.server.url + ENDPOINT, params={name: text})
    assert response.status_code == 400
    error = f"{name} must be a whole number from 1 to {most}"
    assert response.json() == {"error": error, "uptime_available": False}


@pytest.mark.each_octoprint
def test_the_list_comes_only_when_asked_for(story: Story) -> None:
    assert "restarts" not in story.server.answer()


@pytest.mark.each_octoprint
def test_who_may_only_look_hides_a_notice_from_nobody(story: Story) -> None:
    before = restarts(story.server)
    command = {"command": "dismiss", "id": before[0]["id"]}
    for user in ("viewer", "watcher"):
        response = story.server.session(user).post(story.server.url + ENDPOINT, json=command)
        assert response.status_code == 403
        assert response.json().keys() == {"error", "uptime_available"}
    assert restarts(story.server) == before


@pytest.mark.each_octoprint
def test_a_dismissal_by_who_has_control_is_for_everyone_and_survives_a_restart(story: Story) -> None:
    before = restarts(story.server)
    newest, chosen = before[0]["id"], before[3]["id"]
    for run_id in (chosen, 10**6):
        command = {"command": "dismiss", "id": run_id}
        response = story.server.session("operator").post(story.server.url + ENDPOINT, json=command)
        assert response.status_code == 204
    # With one, those before it.
    expected = [{**each, "dismissed": each["id"] <= chosen} for each in before]
    assert restarts(story.server) == expected
    story.server.session("operator").post(story.server.url + ENDPOINT, json={"command": "dismiss", "id": newest})
    expected = [{**each, "dismissed": True} for each in before]
    answer = story.server.answer("operator")
    assert answer["last_restart"]["dismissed"] is True
    assert answer["unseen_restart"] is None
    until(lambda: sum(row["dismissed"] for row in rows(story.server)) == len(before))
    start = begin(story.server, "killed")
    assert start.listed[1:] == expected
    assert start.last["dismissed"] is False
    assert start.answer["unseen_restart"] == start.last


@pytest.mark.each_octoprint
def test_a_backup_leaves_the_log_out(story: Story, tmp_path: Path) -> None:
    backup = tmp_path / "backup.zip"
    run = story.server.shell(f"octoprint plugins backup:backup --path {backup}")
    assert run.returncode == 0, run.stdout + run.stderr
    names = zipfile.ZipFile(backup).namelist()
    assert "basedir/config.yaml" in names
    assert not [name for name in names if ID in name]


# Prints that OctoPrint does not stream, or does not name


@pytest.mark.each_octoprint
def test_a_print_from_the_printers_own_storage_is_not_told_to_be_lost(make_server: MakeServer) -> None:
    def insert_card(basedir: Path) -> None:
        (basedir / "virtualSd").mkdir(parents=True)
        (basedir / "virtualSd" / "on the card.gcode").write_text("G1 X100 F600\nG1 X0 F600\n" * 1000)

    server = make_server(seed=insert_card)
    connect(server)
    session = server.session("admin")
    session.post(f"{server.url}/api/printer/sd", json={"command": "init"}).raise_for_status()

    def on_the_card() -> Any:
        files = session.get(f"{server.url}/api/files").json()["files"]
        return next((file for file in files if file["origin"] != "local"), None)

    file = until(on_the_card)
    command = {"command": "select", "print": True}
    session.post(f"{server.url}/api/files/{file['origin']}/{file['path']}", json=command).raise_for_status()
    row = until(lambda: next((row for row in rows_of_any_print(server)[-1:] if row["print_path"]), None))
    assert row["print_origin"] == file["origin"] != "local"
    end(server, "killed")
    server.start()
    (restart,) = until(lambda: restarts(server))
    assert (restart["clean"], restart["lost_print"]) == (False, None)
    unattended = restart["unattended_print"]
    assert unattended.keys() == LOST_PRINT_FIELDS
    assert (unattended["file"], unattended["path"]) == (file["name"], file["path"])
    assert unattended["origin"] == file["origin"]
    text = "octoprint, unexpected shutdown, a print from the printer's own storage may have gone on"
    assert system_info(server)[0] == text


# A plugin that tells of a print as one does whose file has no name.
NAMELESS = """
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class Nameless(octoprint.plugin.StartupPlugin):
    def on_after_startup(self):
        ours = self._plugin_manager.get_plugin_info("octoprint_uptime").implementation
        ours.on_event("PrintStarted", {"name": None, "path": None, "origin": "local"})

__plugin_implementation__ = Nameless()
"""


def test_a_print_without_a_name_is_recorded_too(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"nameless.py": NAMELESS})
    until(lambda: (rows_of_any_print(server) or [{}])[-1].get("print_started"))
    end(server, "killed")
    server.start()
    lost = until(lambda: restarts(server))[0]["lost_print"]
    assert (lost["file"], lost["path"], lost["origin"]) == (None, None, "local")
    assert lost["started_at"] is not None


# Another boot


class Host:
    """A host that can be booted, and whose clock can be set: what a server of its sees."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.boot_id = folder / "boot_id"
        self.env, self.set_clock = with_wall_clock(folder / "clock", cached=True)
        self.wrapper: list[str] = []

    def boot(self) -> None:
        self.boot_id.write_text(f"{uuid.uuid4()}\n")
        files = with_files({"/proc/sys/kernel/random/boot_id": self.boot_id})
        self.wrapper = [*with_boot_clock(2 - int(boot_clock())), *files]

    def start(self, server: OctoPrint, clock: str | None = None) -> list[dict[str, Any]]:
        """Start the server, and wait until it has told of the restart; with a clock that can be set it takes longer."""
        if clock is not None:
            self.set_clock(clock)
        told = len(events(server))
        server.start(self.wrapper, None if clock is None else self.env)
        until(lambda: len(events(server)) > told)
        assert events(server)[-1] == restarts(server)[0] == server.answer()["last_restart"]
        check_order(restarts(server))
        return restarts(server)


@pytest.mark.nightly
def test_boots_are_told_from_restarts_also_while_the_clock_is_not_set(make_server: MakeServer, tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    host.boot()
    server = make_server(host.wrapper, extra_plugins={"recorder.py": RECORDER})
    until(lambda: database(server).exists() and rows(server))

    end(server, "clean")
    time.sleep(3)  # so that the next boot is after this end
    host.boot()
    booted = time.time() - 2
    clean = host.start(server)[0]
    assert (clean["kind"], clean["clean"]) == ("host", True)
    assert moment(clean["ended_after"]) <= moment(clean["host_started_at"]) == pytest.approx(booted, abs=2.5)
    assert clean["started_at"] == server.answer()["octoprint_started_at"]
    gap = moment(clean["started_at"]) - moment(clean["ended_after"])
    assert clean["downtime_seconds_min"] == clean["downtime_seconds_max"] == pytest.approx(gap, abs=1.1)

    end(server, "killed")
    time.sleep(3)
    host.boot()
    booted = time.time() - 2
    unclean, *rest = host.start(server, "-3000d")  # as on a Pi without a clock chip
    assert rest == [clean]
    assert (unclean["kind"], unclean["clean"]) == ("host", False)
    assert {unclean[key] for key in ("ended_before", "host_started_at", "started_at")} == {None}
    assert moment(unclean["ended_after"]) >= moment(clean["started_at"])
    assert unclean["downtime_seconds_max"] is None
    with opened(server) as connection:
        current, previous = connection.execute("SELECT started, last_alive FROM runs ORDER BY id DESC LIMIT 2")
    # The host was up for that long before OctoPrint was; unless its boot clock may have gone on, as a container's does.
    least = current["started"] if current["started"] < previous["last_alive"] else 0
    assert unclean["downtime_seconds_min"] == int(least)
    assert 2 <= current["started"] <= 60
    assert system_info(server) == ("host, unexpected shutdown", None)

    end(server, "killed")
    within, *rest = host.start(server, "-3000d")
    assert rest == [unclean, clean]
    assert (within["kind"], within["clean"]) == ("octoprint", False)
    assert {value for key, value in within.items() if key.endswith(("_at", "_after", "_before"))} == {None}
    assert within["downtime_seconds_max"] is not None  # by the boot clock

    host.set_clock("+0")
    within, unclean, again = restarts(server)
    assert again == clean
    check_order([within, unclean, clean])
    assert within["started_at"] == server.answer()["octoprint_started_at"]
    assert within["run_started_at"] == unclean["started_at"]
    assert moment(unclean["host_started_at"]) == pytest.approx(booted, abs=2.5)
    assert unclean["ended_before"] == unclean["host_started_at"]
    assert unclean["downtime_seconds_max"] == pytest.approx(
        moment(unclean["started_at"]) - moment(unclean["ended_after"]), abs=1.1
    )

    end(server, "clean")
    assert host.start(server)[1:] == [within, unclean, clean]


def test_a_container_that_is_started_anew_is_told_from_its_host(make_server: MakeServer, tmp_path: Path) -> None:
    # LXC mounts another boot id over the host's at each start of a container; the boot clock is the host's.
    boot_id = tmp_path / "boot_id"
    boot_id.write_text(f"{uuid.uuid4()}\n")
    wrapper = with_files({"/proc/sys/kernel/random/boot_id": boot_id})
    server = make_server(wrapper)
    until(lambda: rows(server))
    for number, how in enumerate(("clean", "killed", "killed", "clean"), start=1):
        before = time.time()
        end(server, how)
        after = time.time()
        boot_id.write_text(f"{uuid.uuid4()}\n")
        server.start(wrapper)
        last = until(lambda: restarts(server) if len(rows(server)) > number else None)[0]  # noqa: B023 # called at once
        clean = how == "clean"
        assert (last["kind"], last["clean"], last["host_started_at"]) == ("container", clean, None)
        assert last["started_at"] == server.answer()["octoprint_started_at"]
        assert moment(last["ended_after"]) - 1 <= after
        assert moment(last["ended_before"]) + 1 >= before
        gap = moment(last["started_at"]) - moment(last["ended_after"])
        assert last["downtime_seconds_max"] == pytest.approx(gap, abs=1.1)
        assert last["downtime_seconds_min"] == (last["downtime_seconds_max"] if clean else 0)
    check_order(restarts(server))


# What the disk may do


def log_file(folder: Path, statements: str = "") -> Path:
    """A database where the server will look for its own."""
    path = folder / "octoprint0" / "data" / ID / "restart_log.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)
    return path


def check_unkept(server: OctoPrint, word: str) -> None:
    """The server is as ever, but for one warning that says this."""
    answer = server.answer()
    assert answer["uptime_available"] is True
    assert answer["last_restart"] is None
    assert restarts(server) == []
    assert system_info(server) == (None, None)
    found: list[str] = []

    def warned() -> bool:
        found.extend(server.warnings())
        return bool(found)

    until(warned)
    connect(server)
    print_file(server, "short.gcode")  # so that it tries again
    until(lambda: state(server) == "Operational")
    time.sleep(2)  # which it does for a second each
    found += server.warnings()
    assert len(found) == 1, found
    assert word in found[0]
    assert server.answer()["last_restart"] is None


def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(make_server: MakeServer, tmp_path: Path) -> None:
    path = log_file(tmp_path)
    garbage = random.randbytes(20000)
    path.write_bytes(garbage)
    server = make_server()
    check_unkept(server, "can't be used (file is not a database)")
    (aside,) = path.parent.glob("restart_log.db.damaged-*")
    assert aside.read_bytes() == garbage
    server.stop()
    server.start()
    assert until(lambda: server.answer()["last_restart"])["clean"] is True
    assert server.warnings() == []


def test_a_later_versions_file_is_left_alone(make_server: MakeServer, tmp_path: Path) -> None:
    path = log_file(tmp_path, "CREATE TABLE runs (other); PRAGMA user_version = 4")
    before = path.read_bytes()
    server = make_server()
    check_unkept(server, "its schema is 4")
    server.stop()
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["read-only", "full"])
def test_a_folder_that_takes_nothing_changes_nothing_else(make_server: MakeServer, tmp_path: Path, kind: str) -> None:
    folder = log_file(tmp_path).parent
    # To root, modes say nothing; a mount does.
    mount = {
        "read-only": 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"',
        "full": 'mount -t tmpfs -o size=8k none "$0" && head -c 8k /dev/zero > "$0"/other',
    }[kind]
    wrapper = with_files({"/proc/sys/kernel/random/boot_id": Path("/proc/sys/kernel/random/boot_id")})
    wrapper[-2:] = [f'{mount} && exec "$@"', str(folder)]
    server = make_server(wrapper)
    check_unkept(server, {"read-only": "readonly", "full": "full"}[kind])


@pytest.mark.parametrize(("kind", "seconds"), [("new", 0.8), ("existing", 1.5)])
def test_on_a_slow_card_a_clean_end_is_told_to_be_clean(make_server: MakeServer, kind: str, seconds: float) -> None:
    slow = with_slow_disk(seconds)
    server = make_server([] if kind == "existing" else slow)
    if kind == "existing":
        until(lambda: database(server).exists() and rows(server))
        end(server, "clean")
        server.start(slow)
    time.sleep(2)
    end(server, "clean")
    server.start()
    expected = {"new": [True], "existing": [True, True]}[kind]
    assert until(lambda: [each["clean"] for each in restarts(server)]) == expected


# A plugin that hangs as OctoPrint ends, until a service manager loses its patience.
HANG = """
import time
import octoprint.plugin

__plugin_pythoncompat__ = ">=3"

class Hang(octoprint.plugin.ShutdownPlugin):
    def on_shutdown(self):
        time.sleep(60)

__plugin_implementation__ = Hang()
"""


@pytest.mark.each_octoprint
def test_an_end_that_was_asked_for_is_clean_whoever_hangs_after_it(make_server: MakeServer) -> None:
    server = make_server(extra_plugins={"aaa_hang.py": HANG})
    until(lambda: database(server).exists() and rows(server))
    assert server.process is not None
    os.killpg(server.process.pid, signal.SIGTERM)
    time.sleep(3)
    assert server.process.poll() is None, "it hangs"
    end(server, "killed")
    server.start()
    (restart,) = until(lambda: restarts(server))
    end(server, "killed")  # which hangs, too
    assert restart["clean"] is True


LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_locked_file_delays_nothing_and_is_used_again_once_it_may(make_server: MakeServer, tmp_path: Path) -> None:
    path = log_file(tmp_path, "PRAGMA journal_mode = WAL")
    with subprocess.Popen([sys.executable, "-c", LOCKER, path], stdin=-1, stdout=-1, text=True) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        server = make_server(extra_plugins=STOPWATCH)
        check_unkept(server, "locked")
        # Whoever clears it is told that what is stored is still there.
        response = server.session("admin").post(server.url + ENDPOINT, json={"command": "clear"})
        assert response.status_code == 503
        check_error(response)
        assert "ERROR" in server.new_log()  # OctoPrint's server notes each 5xx as one
        server.stop()
        assert took(server) < 5
        assert "the disk has no record of this end" in (server.basedir / "console.log").read_text()
        locker.communicate()
    server.start()
    assert until(lambda: rows(server))[0]["ended"] is None
    assert server.warnings() == []
    server.stop()
    assert took(server) < 0.05
    assert rows(server)[0]["ended"] == "clean"


# Switched off, cleared, side by side


def test_switched_off_it_records_nothing_and_forgets_nothing(make_server: MakeServer) -> None:
    server = make_server(plugins={ID: {"restart_log": False}}, extra_plugins={"recorder.py": RECORDER})
    connect(server)
    print_file(server, "parts/long.gcode")
    until(lambda: state(server) == "Printing")
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    assert not database(server).exists()

    server.save({"restart_log": True}).raise_for_status()
    assert until(lambda: database(server).exists() and printing(server))["print_path"] == "parts/long.gcode"
    server.save({"restart_log": False}).raise_for_status()
    until(lambda: rows(server)[0]["ended"] == "off")
    server.save({"restart_log": True}).raise_for_status()
    until(lambda: [row["ended"] for row in rows(server)] == ["off", None])
    assert restarts(server) == []  # since none was

    first = begin(server, "killed")
    assert len(first.listed) == 1
    assert first.last["lost_print"]["file"] == "long.gcode"
    assert first.last["started_at"] == server.answer()["octoprint_started_at"]
    assert moment(first.last["lost_print"]["started_at"]) <= moment(first.last["ended_after"])
    check_order(first.listed)

    server.save({"restart_log": False}).raise_for_status()
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    until(lambda: rows(server)[-1]["ended"] == "off")
    server.stop()
    server.start()
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    assert (server.answer()["recorded_since"], not_recorded(server)) == (None, [])
    assert (
        f"env.plugins.{ID}.last_restart"
        not in (server.session("admin").get(f"{server.url}/api/system/info").json()["systeminfo"])
    )
    server.save({"restart_log": True}).raise_for_status()
    assert until(lambda: restarts(server)) == first.listed  # what lies around the time it was off is not known
    assert len(events(server)) == 1
    since = moment(server.answer()["recorded_since"])
    assert since == pytest.approx(rows(server)[0]["offset"] + rows(server)[0]["recorded_from"], abs=2.5)
    newest, oldest = not_recorded(server)
    for gap in (newest, oldest):
        assert moment(gap["from"]) <= moment(gap["to"]) <= time.time()
    assert since <= moment(oldest["from"])
    assert moment(oldest["to"]) <= moment(newest["from"])

    assert begin(server, "clean").listed[1:] == first.listed
    response = server.session("admin").post(server.url + ENDPOINT, json={"command": "clear"})
    assert response.status_code == 204
    assert (server.answer()["last_restart"], restarts(server)) == (None, [])
    assert len(rows(server)) == 1
    assert len(begin(server, "clean").listed) == 1
    # What is stored can be cleared, too, while nothing is recorded.
    server.save({"restart_log": False}).raise_for_status()
    until(lambda: rows(server)[-1]["ended"] == "off")
    response = server.session("admin").post(server.url + ENDPOINT, json={"command": "clear"})
    assert response.status_code == 204
    assert rows(server) == []


@pytest.mark.each_octoprint
def test_what_the_plugin_manager_disables_is_not_taken_for_a_restart(make_server: MakeServer) -> None:
    prompt = PROMPT.format(lines=['self._plugin_manager.get_helpers("octoprint_uptime") is None'])
    server = make_server(enable=("pluginmanager",), extra_plugins={"prompt.py": prompt})

    def toggle(command: str) -> None:
        body = {"command": command, "plugin": ID}
        response = server.session("admin").post(f"{server.url}/api/plugin/pluginmanager", json=body)
        response.raise_for_status()

    until(lambda: rows(server))
    toggle("disable")
    until(lambda: rows(server)[-1]["ended"] == "off")
    toggle("enable")
    until(lambda: [row["ended"] for row in rows(server)] == ["off", None])
    toggle("disable")
    until(lambda: [row["ended"] for row in rows(server)] == ["off", "off"])
    end(server, "killed")
    server.start()  # without the plugin
    response = server.session("admin").get(server.url + ENDPOINT)
    assert (response.status_code, response.json().keys()) == (404, {"error"})
    assert server.session("admin").get(f"{server.url}/api/plugin/prompt").json() == ["True\n"]
    toggle("enable")
    end(server, "killed")
    server.start()
    until(lambda: [row["ended"] for row in rows(server)] == ["off", "off", None])
    assert restarts(server) == []
    newest, oldest = not_recorded(server)
    assert moment(newest["to"]) - moment(newest["from"]) >= 2
    assert moment(oldest["to"]) - moment(oldest["from"]) <= 5
    assert newest["to"] == server.answer()["octoprint_started_at"]
    server.new_log()  # where the Plugin Manager says that there is no internet


def test_two_servers_at_once_each_have_their_own(make_server: MakeServer) -> None:
    def recorded(server: OctoPrint) -> bool:
        return database(server).exists() and len(rows(server)) > 0

    one, other = (make_server(extra_plugins={"recorder.py": RECORDER}) for _ in range(2))
    for server in (one, other):
        until(partial(recorded, server))
    seen = rows(other)
    restarted = begin(one, "killed")
    assert len(restarted.listed) == 1
    assert rows(other) == seen
    assert (restarts(other), events(other)) == ([], [])
    assert begin(other, "clean").last["clean"] is True
    assert restarts(one) == restarted.listed
