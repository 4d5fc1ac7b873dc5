"""Restarts of one OctoPrint: what the API, the event and System info report, and to whom."""

from __future__ import annotations

import random
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from recorded_runs import (
    LOST_PRINT_FIELDS,
    RECORDER,
    Start,
    begin,
    check_order,
    connect,
    end,
    job,
    jog,
    moment,
    pause,
    print_file,
    printing,
    restarts,
    rows,
    state,
    until,
)
from support import ENDPOINT, GROUPS, ID, USERS, OctoPrint

pytestmark = pytest.mark.each_octoprint


FIELDS = {
    *("id", "kind", "clean", "run_started_at", "ended_after", "ended_before", "host_started_at", "started_at"),
    *("downtime_seconds_min", "downtime_seconds_max", "octoprint_version", "dismissed"),
    *("lost_print", "unattended_print"),
    *("asked_by", "cause", "cause_proven", "crashed_in", "under_voltage_at", "memory_available_bytes", "journal"),
}
RANDOM_KILLS = 1
RESTARTS = 5 + RANDOM_KILLS
WATCHERS = {"name": "Watchers", "description": "", "permissions": ["STATUS"], "subgroups": [], "default": False}


class Story(NamedTuple):
    """The states after each start of a server, and that server, still running."""

    starts: dict[str, Start]
    server: OctoPrint


@pytest.fixture(scope="module")
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
    """Kill the server at a random moment while settings are saved and prints start and end."""
    admin = server.session("admin")

    def busy() -> None:
        try:
            connect(server)
            while True:
                server.save({"poll_interval_seconds": random.randrange(1, 3600)})
                with suppress(requests.HTTPError):  # while it prints
                    print_file(server, "short.gcode")
                admin.post(f"{server.url}/api/job", json={"command": "pause", "action": "toggle"})
        except (requests.ConnectionError, AssertionError):
            return  # it was killed

    thread = threading.Thread(target=busy)
    thread.start()
    time.sleep(random.uniform(0.2, 3))
    end(server, "killed")
    thread.join()
    rows(server)


def test_first_run_has_no_restart(story: Story) -> None:
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
        ("killed after a print", False, False),
        ("killed while printing", False, True),
        ("killed while paused", False, True),
        ("stopped while printing", True, True),
    ],
)
def test_restart_is_reported(story: Story, name: str, clean: bool, lost: bool, octoprint_version: str) -> None:
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
    # Everyone with STATUS gets the event, so it has no file names.
    assert start.events == [without_file(last)]
    text = f"octoprint, {'clean' if clean else 'unexpected'} shutdown{', a print was lost' if lost else ''}"
    assert start.system_info == (text, last["started_at"])


@pytest.mark.parametrize(
    ("name", "shutdowns", "prints"),
    [("killed while printing", 2, 1), ("killed while paused", 3, 2), ("stopped while printing", 3, 3)],
)
def test_lost_print_is_unseen_however_it_was_lost(story: Story, name: str, shutdowns: int, prints: int) -> None:
    start = story.starts[name]
    assert start.answer["unseen_restart"] == {**start.last, "printed_since": False}
    assert (start.answer["unseen_restarts"], start.answer["unseen_lost_prints"]) == (shutdowns, prints)


def test_moments_and_downtime_match_the_gap(story: Story) -> None:
    clean, killed = (story.starts[name] for name in ("stopped", "killed after a print"))
    for start in (clean, killed):
        assert start.last["started_at"] == start.answer["octoprint_started_at"]
        assert moment(start.last["started_at"]) >= start.after - 2
    assert clean.last["run_started_at"] == story.starts["first"].answer["octoprint_started_at"]
    assert clean.last["ended_after"] == clean.last["ended_before"]
    assert clean.before - 2 <= moment(clean.last["ended_after"]) <= clean.after + 2
    assert clean.last["downtime_seconds_min"] == clean.last["downtime_seconds_max"]
    assert clean.last["downtime_seconds_max"] <= time.time() - clean.before
    # A kill leaves nothing but the last heartbeat, and then the next start.
    assert moment(killed.last["ended_after"]) <= killed.before + 2
    assert killed.last["ended_before"] == killed.last["started_at"]
    assert killed.last["downtime_seconds_min"] == 0
    gap = moment(killed.last["started_at"]) - moment(killed.last["ended_after"])
    assert killed.last["downtime_seconds_max"] == pytest.approx(gap, abs=1.1)


@pytest.mark.parametrize(
    ("name", "path", "z"),
    [
        ("killed while printing", "parts/long.gcode", 12.4),
        ("killed while paused", "flat.gcode", None),  # its only move was by hand, before the print
        ("stopped while printing", "parts/long.gcode", 12.4),
    ],
)
def test_lost_print_has_its_file_and_progress(story: Story, name: str, path: str, z: float | None) -> None:
    start = story.starts[name]
    lost = start.last["lost_print"]
    assert lost.keys() == LOST_PRINT_FIELDS
    assert (lost["path"], lost["file"], lost["origin"]) == (path, path.rpartition("/")[2], "local")
    assert 0 < lost["progress"] < 50 if name == "killed while printing" else 0 <= lost["progress"] < 50
    assert 0 <= lost["position_bytes"] < 5000
    assert lost["z"] == z
    moments = [start.last["run_started_at"], lost["started_at"], lost["seen_at"], start.last["ended_after"]]
    assert moments == sorted(moments)


def test_restarts_are_listed_in_order(story: Story) -> None:
    listed = restarts(story.server)
    assert len(listed) == RESTARTS
    assert [each["clean"] for each in reversed(listed)] == [True, False, False, False, True, *[False] * RANDOM_KILLS]
    check_order(listed)
    for earlier, later in zip(listed[1:], listed, strict=False):
        assert earlier["started_at"] == later["run_started_at"]
    assert all(each["started_at"] is not None for each in listed)


def test_kills_at_random_moments_leave_a_sound_log(story: Story) -> None:
    for number in range(RANDOM_KILLS):
        start = story.starts[f"killed while busy {number}"]
        assert (start.last["kind"], start.last["clean"]) == ("octoprint", False)
        assert start.last["lost_print"] is None or start.last["lost_print"]["file"] == "short.gcode"
        assert start.listed[1:] == list(story.starts.values())[RESTARTS - RANDOM_KILLS + number].listed
        check_order(start.listed)


# Permissions


def test_only_users_who_may_list_files_see_file_names(story: Story) -> None:
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


@pytest.mark.parametrize(("user", "status"), [("stranger", 403), ("former", 403), (None, 403)])
def test_users_without_status_see_nothing(story: Story, user: str | None, status: int) -> None:
    session = story.server.session(user)
    response = session.get(story.server.url + ENDPOINT, params={"restarts": "5"})
    assert response.status_code == status
    assert response.json().keys() == {"error", "uptime_available"}
    before = story.server.answer()["last_restart"]
    post = session.post(story.server.url + ENDPOINT, json={"command": "dismiss", "id": before["id"]})
    assert post.status_code in (400, 403)  # 400: without a login OctoPrint asks for the CSRF token first
    assert story.server.answer()["last_restart"] == before


@pytest.mark.parametrize("user", ["viewer", "operator", "watcher"])
def test_only_users_with_settings_may_clear_the_log(story: Story, user: str) -> None:
    before = restarts(story.server)
    response = story.server.session(user).post(story.server.url + ENDPOINT, json={"command": "clear"})
    assert response.status_code == 403
    assert response.json().keys() == {"error", "uptime_available"}
    assert restarts(story.server) == before


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("2", 2), ("1000", RESTARTS)])
def test_restarts_limits_the_list(story: Story, text: str, count: int) -> None:
    response = story.server.session("viewer").get(story.server.url + ENDPOINT, params={"restarts": text})
    assert response.json()["restarts"] == restarts(story.server)[:count]
    assert len(response.json()["restarts"]) == count


def test_days_limits_the_list(story: Story) -> None:
    session = story.server.session("viewer")
    answer = session.get(story.server.url + ENDPOINT, params={"days": "1"}).json()
    assert answer["restarts"] == restarts(story.server)
    assert {"recorded_since", "not_recorded"} < answer.keys()
    both = session.get(story.server.url + ENDPOINT, params={"days": "366", "restarts": "2"}).json()
    assert both["restarts"] == restarts(story.server)[:2]


@pytest.mark.parametrize(("name", "most"), [("restarts", 1000), ("days", 366)])
@pytest.mark.parametrize("text", ["0", "1001", "-1", "abc", "", "1.5", "1e2", "9" * 5000, "\u0664", "1,2", " 1"])
def test_invalid_limit_is_refused(story: Story, name: str, most: int, text: str) -> None:
    response = story.server.session("viewer").get(story.server.url + ENDPOINT, params={name: text})
    assert response.status_code == 400
    error = f"{name} must be a whole number from 1 to {most}"
    assert response.json() == {"error": error, "uptime_available": False}


def test_list_is_left_out_by_default(story: Story) -> None:
    assert "restarts" not in story.server.answer()


def test_read_only_users_may_not_dismiss(story: Story) -> None:
    before = restarts(story.server)
    command = {"command": "dismiss", "id": before[0]["id"]}
    for user in ("viewer", "watcher"):
        response = story.server.session(user).post(story.server.url + ENDPOINT, json=command)
        assert response.status_code == 403
        assert response.json().keys() == {"error", "uptime_available"}
    assert restarts(story.server) == before


def test_dismissal_counts_for_everyone_and_survives_a_restart(story: Story) -> None:
    """Dismissing one restart also dismisses all earlier ones."""
    before = restarts(story.server)
    newest, chosen = before[0]["id"], before[3]["id"]
    for run_id in (chosen, 10**6):
        command = {"command": "dismiss", "id": run_id}
        response = story.server.session("operator").post(story.server.url + ENDPOINT, json=command)
        assert response.status_code == 204
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
    assert start.answer["unseen_restart"] == {**start.last, "printed_since": False}


def test_backup_leaves_the_log_out(story: Story, tmp_path: Path) -> None:
    backup = tmp_path / "backup.zip"
    run = story.server.shell(f"octoprint plugins backup:backup --path {backup}")
    assert run.returncode == 0, run.stdout + run.stderr
    names = zipfile.ZipFile(backup).namelist()
    assert "basedir/config.yaml" in names
    assert not [name for name in names if ID in name]
