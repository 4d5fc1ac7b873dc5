"""Test that the totals of all runs survive whatever happens to the runs."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from former_logs import SCHEMA_3, write_log
from killed_store import kill_at_each_statement
from octoprint_uptime.evidence.records import Found
from octoprint_uptime.restart_log.history import History
from octoprint_uptime.restart_log.recorder import Recorder
from octoprint_uptime.restart_log.records import Print, Run, Totals
from octoprint_uptime.restart_log.store import RUNS_KEPT, Store

LOGGER = logging.getLogger("octoprint.plugins.octoprint_uptime")
MARCH = 1772366400.0
BENCHY = Print("benchy.gcode", "local", 60.5, None, True)
CRASHED = Run(0, "a", MARCH, 50.0, 50.0, 80.0, "1.11.8", None, None, False)
CLEAN, OFF = CRASHED._replace(ended="clean"), CRASHED._replace(ended="off")
UNATTENDED = BENCHY._replace(streamed=False)
CAUSE = Found("out_of_memory", True)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path, LOGGER)
    yield store
    store.close()


def after(store: Store, *runs: Run) -> Totals:
    """Save these runs, and return the totals of one more."""
    for run in runs:
        store.save(run)
    return store.save(CRASHED).totals


@pytest.mark.parametrize(
    ("runs", "shutdowns", "prints", "boots"),
    [
        ([], 0, 0, 0),
        ([CRASHED], 1, 0, 0),
        ([CLEAN], 0, 0, 0),
        ([OFF], 0, 0, 0),
        ([CRASHED, CLEAN, OFF, CRASHED], 2, 0, 0),
        ([CRASHED._replace(print=BENCHY)], 1, 1, 0),
        ([CLEAN._replace(print=BENCHY)], 0, 1, 0),
        ([OFF._replace(print=BENCHY)], 0, 0, 0),
        ([CRASHED._replace(print=UNATTENDED)], 1, 0, 0),
        ([CLEAN._replace(boot="b")], 0, 0, 1),
        ([CLEAN, CLEAN._replace(boot="b"), CLEAN._replace(boot="b")], 0, 0, 2),
        ([OFF._replace(boot="b")], 0, 0, 1),
    ],
)
def test_each_run_counts_those_before_it(
    store: Store, runs: list[Run], shutdowns: int, prints: int, boots: int
) -> None:
    assert after(store, *runs) == (len(runs) + 1, shutdowns, prints, boots)


ended = st.sampled_from(["clean", "off", None])
prints = st.sampled_from([None, BENCHY, UNATTENDED])
runs = st.builds(
    lambda how, what, boot: CRASHED._replace(ended=how, print=what, boot=boot), ended, prints, st.sampled_from("abc")
)


@given(st.lists(runs, max_size=8))
def test_totals_are_those_of_the_restarts(earlier: list[Run]) -> None:
    store = Store(Path(":memory:"), LOGGER)
    found = [store.save(run) for run in [*earlier, CRASHED]]
    store.close()
    restarts = list(History(found, MARCH + 100).restarts())
    _, shutdowns, lost, boots = found[-1].totals
    assert shutdowns == sum(restart.unexpected for restart in restarts)
    assert lost == sum(restart.lost_print is not None for restart in restarts)
    assert boots == sum(run.boot != next_run.boot for run, next_run in pairwise(found))


def test_totals_start_at_0_with_the_first_version_that_has_them(store: Store, path: Path) -> None:
    write_log(path, SCHEMA_3)
    assert store.save(CRASHED).totals == Totals(8, 1, 1, 0)


def test_totals_survive_clearing(store: Store) -> None:
    after(store, CRASHED, CRASHED)
    store.clear(keep=3)
    assert store.save(CRASHED).totals == Totals(4, 3)


def test_totals_survive_pruning(store: Store) -> None:
    count = RUNS_KEPT + 1
    for _ in range(count):
        store.save(CRASHED._replace(print=BENCHY))
    assert store.save(CRASHED).totals == Totals(count + 1, count, count)
    assert len(store.before(CRASHED._replace(id=10**9))) == RUNS_KEPT


def test_totals_stay_the_same_while_the_run_is_updated(store: Store) -> None:
    store.save(CRASHED)
    run = store.save(CRASHED)
    assert store.save(run._replace(last_alive=99.0, print=BENCHY, ended="clean")).totals == run.totals


def test_later_cause_of_a_clean_shutdown_makes_it_unexpected(store: Store) -> None:
    first, second, third = (store.save(CLEAN._replace(started=started)) for started in (50.0, 51.0, 52.0))
    store.note(second, CAUSE)
    assert [run.totals.unexpected_shutdowns for run in store.before(CRASHED._replace(id=9))] == [0, 0, 1]
    assert store.save(third).totals == Totals(3, 1), "a heartbeat reads the new total"
    store.note(second, CAUSE)
    assert store.save(third).totals == Totals(3, 1), "the same cause counts once"
    store.note(first._replace(started=1.0), CAUSE)
    assert store.save(third).totals == Totals(3, 1), "another run has this id"
    assert store.save(CLEAN).totals == Totals(4, 1)
    store.note(third, CAUSE)
    assert after(store) == Totals(5, 2)


@pytest.mark.parametrize(("run", "found"), [(CRASHED, CAUSE), (OFF, CAUSE), (CLEAN, Found())])
def test_any_other_finding_changes_no_total(store: Store, run: Run, found: Found) -> None:
    first, second = store.save(run), store.save(CRASHED)
    store.note(first, found)
    assert store.save(second).totals == second.totals
    assert after(store)[1] == second.totals.unexpected_shutdowns + 1


@pytest.mark.parametrize("work", ["store.save(NEW)", 'store.note(FIRST, Found("killed", True))'])
def test_totals_survive_a_kill_between_any_statements(tmp_path: Path, work: str) -> None:
    folder, copies = tmp_path / "folder", tmp_path / "copies"
    store = Store(folder / "restart_log.db", LOGGER)
    store.save(CLEAN._replace(print=BENCHY))
    store.save(CRASHED)
    store.close()
    kill_at_each_statement(work, folder, copies)
    outcomes = set()
    for copy in copies.iterdir():
        opened = Store(copy / "restart_log.db", LOGGER)
        totals = opened.save(CRASHED._replace(boot="c")).totals
        earlier = opened.before(CRASHED._replace(id=9))[:-1]
        opened.close()
        assert totals.unexpected_shutdowns == sum(run.unexpected for run in earlier)
        assert (totals.lost_prints, totals.boots) == (1, len({run.boot for run in earlier}))
        outcomes.add(totals)
    assert len(outcomes) == 2, "it was killed before and after the change took effect"


def test_totals_of_a_file_that_another_program_changed_still_count(store: Store, path: Path) -> None:
    store.save(CRASHED)
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET unexpected_shutdowns = 'many', lost_prints = x'ff', ended = 'moon'")
    assert store.save(CRASHED).totals == Totals(2, 1)


@pytest.mark.parametrize(("ended", "cause", "added"), [("clean", "killed", 1), ("clean", None, 0), (None, "killed", 0)])
def test_cause_is_in_the_totals_before_the_next_heartbeat(
    store: Store, path: Path, ended: str | None, cause: str | None, added: int
) -> None:
    for each in (CRASHED, CLEAN._replace(ended=ended), CLEAN):
        store.save(each)
    store.close()
    loaded, noted = threading.Event(), threading.Event()
    recorder = Recorder(Store(path, LOGGER), "1.11.8", LOGGER, loaded.set)
    recorder.begin(100.0, 100.0, lambda: None)
    assert loaded.wait(10)
    before = [run.totals.unexpected_shutdowns for run in (*recorder.state.earlier, recorder.state.current) if run]
    recorder.note(recorder.state.earlier[1], Found(cause, True), noted.set)
    assert noted.wait(10)
    after = [run.totals.unexpected_shutdowns for run in (*recorder.state.earlier, recorder.state.current) if run]
    assert after == [*before[:2], *(count + added for count in before[2:])]
    recorder.stop(10)
    assert [run.totals.unexpected_shutdowns for run in store.before(CRASHED._replace(id=9))] == after
