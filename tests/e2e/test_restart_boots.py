"""Restarts of the host and of a container, and clocks that are set late."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from namespaces import with_boot_clock, with_files, with_wall_clock
from recorded_runs import (
    RECORDER,
    check_order,
    database,
    end,
    events,
    moment,
    opened,
    restarts,
    rows,
    system_info,
    until,
)
from support import MakeServer, OctoPrint, boot_clock


class Host:
    """A host, as a server sees it, that can be booted and whose clock can be set."""

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
        """Start the server, and wait until it reports the restart. With a clock that can be set it takes longer."""
        if clock is not None:
            self.set_clock(clock)
        told = len(events(server))
        server.start(self.wrapper, None if clock is None else self.env)
        until(lambda: len(events(server)) > told)
        assert events(server)[-1] == restarts(server)[0] == server.answer()["last_restart"]
        check_order(restarts(server))
        return restarts(server)


def without_moments(restart: dict[str, Any]) -> dict[str, Any]:
    return {key: None if key.endswith(("_at", "_after", "_before")) else value for key, value in restart.items()}


@pytest.mark.nightly
def test_boots_are_recognised_even_while_the_clock_is_not_set(make_server: MakeServer, tmp_path: Path) -> None:
    """A host without a clock chip boots before its clock is set; once it is set, all moments become known."""
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
    assert rest == [without_moments(clean)], "they lie in the future"
    assert (unclean["kind"], unclean["clean"]) == ("host", False)
    assert unclean == without_moments(unclean)
    assert unclean["downtime_seconds_max"] is None
    with opened(server) as connection:
        current, previous = connection.execute("SELECT started, last_alive FROM runs ORDER BY id DESC LIMIT 2")
    # The host's age at the start is downtime, unless this may be a container, whose boot clock goes on.
    is_host = current["started"] < previous["last_alive"]
    assert unclean["downtime_seconds_min"] == (int(current["started"]) if is_host else 0)
    assert 2 <= current["started"] <= 60
    assert system_info(server) == ("host, unexpected shutdown", None)

    end(server, "killed")
    within, *rest = host.start(server, "-3000d")
    assert rest == [unclean, without_moments(clean)]
    assert (within["kind"], within["clean"]) == ("octoprint", False)
    assert within == without_moments(within)
    assert within["downtime_seconds_max"] is not None  # by the boot clock

    host.set_clock("+0")
    within, unclean, again = restarts(server)
    assert again == clean
    check_order([within, unclean, clean])
    assert moment(unclean["ended_after"]) >= moment(clean["started_at"])
    assert within["started_at"] == server.answer()["octoprint_started_at"]
    assert within["run_started_at"] == unclean["started_at"]
    assert moment(unclean["host_started_at"]) == pytest.approx(booted, abs=2.5)
    assert unclean["ended_before"] == unclean["host_started_at" if is_host else "started_at"]
    assert unclean["downtime_seconds_max"] == pytest.approx(
        moment(unclean["started_at"]) - moment(unclean["ended_after"]), abs=1.1
    )

    end(server, "clean")
    assert host.start(server)[1:] == [within, unclean, clean]


@pytest.mark.nightly
def test_boot_decades_ahead_costs_only_its_own_moments(make_server: MakeServer, tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    host.boot()
    host.set_clock("+16000d")
    server = make_server(host.wrapper, extra_plugins={"recorder.py": RECORDER}, env=host.env)
    ahead = until(lambda: server.answer()["recorded_since"])
    assert moment(ahead) == pytest.approx(time.time() + 16000 * 86400, abs=60), "nothing shows that it is wrong"

    end(server, "killed")
    host.boot()
    (last,) = host.start(server)
    answer = server.answer()
    assert last["started_at"] == answer["octoprint_started_at"] == answer["recorded_since"]
    assert moment(last["host_started_at"]) == pytest.approx(time.time(), abs=120)
    assert (last["kind"], last["run_started_at"], last["ended_after"]) == ("host", None, None)
    assert last["downtime_seconds_max"] is None


def test_restarts_of_container_and_host_differ(make_server: MakeServer, tmp_path: Path) -> None:
    """LXC gives a container a new boot id at each start, but the host's boot clock, which keeps running."""
    boot_id = tmp_path / "boot_id"
    boot_id.write_text(f"{uuid.uuid4()}\n")
    wrapper = with_files({"/proc/sys/kernel/random/boot_id": boot_id})
    server = make_server(wrapper)
    until(lambda: rows(server))
    for number, how in enumerate(("clean", "killed"), start=1):
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

    end(server, "killed")
    ended = boot_clock()
    # Offsets of the boot clock are whole seconds. Nothing starts in the first second of a boot.
    until(lambda: int(boot_clock()) - 1 > ended)
    boot_id.write_text(f"{uuid.uuid4()}\n")
    server.start([*with_boot_clock(1 - int(boot_clock())), *wrapper])
    last = until(lambda: restarts(server) if len(rows(server)) > 3 else None)[0]
    assert (last["kind"], last["clean"]) == ("host", False)
    assert moment(last["host_started_at"]) == pytest.approx(time.time(), abs=60)
    check_order(restarts(server))
