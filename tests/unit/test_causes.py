"""Test the table from evidence to cause, with all evidence that may mislead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoprint_uptime.evidence.causes import Evidence, cause
from octoprint_uptime.evidence.records import CAUSES, Answer, Signs

MB = 1_000_000
BEFORE = Signs(oom_kills=3, memory=400 * MB)
SAME = Signs(oom_kills=3, memory=600 * MB)
MORE = Signs(oom_kills=4, memory=600 * MB)
LOW = Signs(oom_kills=3, memory=14 * MB)

# An unexpected shutdown, after which OctoPrint was started again within a minute.
UNEXPECTED = Evidence(clean=False, same_boot=True, gap=60.0, signs=BEFORE, power_reset=None, next_signs=SAME)
NEW_BOOT = {"same_boot": False, "next_signs": Signs(oom_kills=0, memory=600 * MB)}
CLEAN = {"clean": True}

OOM, KILLED = ("out_of_memory", True), ("killed", True)
PROBABLY_OOM, PROBABLY_SAGGED = ("out_of_memory", False), ("under_voltage", False)
CRASHED, HUNG, UNKNOWN = ("crashed", True), ("hung", True), (None, False)


def found(code: str | None = None, status: int | None = None, result: str | None = None, **more: Any) -> Answer:
    return Answer("found", exit_code=code, exit_status=status, unit_result=result, **more)


NOTHING, UNAVAILABLE = Answer("nothing_found"), Answer("unavailable")
KILL_9 = found("killed", 9, "signal")
KERNEL = found(killed_for_memory=True)

CASES: dict[str, tuple[dict[str, Any], tuple[str | None, bool]]] = {
    # Nothing is known.
    "no evidence": ({}, UNKNOWN),
    "no evidence, and nothing could be read": ({"signs": Signs(), "next_signs": Signs()}, UNKNOWN),
    "host restarted, no evidence": (NEW_BOOT, UNKNOWN),
    "silence of the journal": ({"answer": NOTHING}, UNKNOWN),
    "silence of the journal about an earlier boot": (NEW_BOOT | {"answer": NOTHING}, UNKNOWN),
    "journal can't be read": ({"answer": UNAVAILABLE}, UNKNOWN),
    "little memory without a kill is only a sign": ({"signs": LOW}, UNKNOWN),
    "little memory before a power cut is only a sign": (NEW_BOOT | {"signs": LOW, "answer": NOTHING}, UNKNOWN),
    "under-voltage before is only a sign": ({"signs": BEFORE._replace(under_voltage=70.0)}, UNKNOWN),
    # Out of memory.
    "kernel's line": ({"answer": found("killed", 9, "signal", killed_for_memory=True)}, OOM),
    "kernel's line alone": ({"answer": KERNEL}, OOM),
    "kernel's line, then the host restarted": (NEW_BOOT | {"answer": KERNEL}, OOM),
    "systemd's result": ({"answer": found("killed", 9, "oom-kill")}, OOM),
    "systemd's result without an exit": ({"answer": found(result="oom-kill")}, OOM),
    "killed by 9, and the counter grew": ({"answer": KILL_9, "next_signs": MORE}, PROBABLY_OOM),
    "killed by 9 with little memory": ({"answer": KILL_9, "signs": LOW}, PROBABLY_OOM),
    "killed by 9 with little memory, then the host restarted": (
        NEW_BOOT | {"answer": KILL_9, "signs": LOW},
        PROBABLY_OOM,
    ),
    "killed by 9 with 50 MB": ({"answer": KILL_9, "signs": LOW._replace(memory=50 * MB)}, KILLED),
    "counter grew, journal silent": ({"answer": NOTHING, "next_signs": MORE}, PROBABLY_OOM),
    "counter grew, no journal": ({"answer": UNAVAILABLE, "next_signs": MORE}, PROBABLY_OOM),
    "counter grew, not asked": ({"next_signs": MORE}, PROBABLY_OOM),
    "counter grew, started after ten minutes": ({"next_signs": MORE, "gap": 600.0}, PROBABLY_OOM),
    "counter grew, started long after": ({"next_signs": MORE, "gap": 600.1}, UNKNOWN),
    "counter grew, killed long before the start": ({"answer": KILL_9, "next_signs": MORE, "gap": 3600.0}, KILLED),
    "counter of another boot": (NEW_BOOT | {"next_signs": MORE}, UNKNOWN),
    "counter of another boot, killed by 9": (NEW_BOOT | {"next_signs": MORE, "answer": KILL_9}, KILLED),
    "counter grew, but it crashed": ({"answer": found("killed", 11, "signal"), "next_signs": MORE}, CRASHED),
    "counter grew, but it exited": ({"answer": found("exited", 3, "exit-code"), "next_signs": MORE}, CRASHED),
    "counter grew, but it hung": ({"answer": found("killed", 9, "timeout"), "next_signs": MORE}, HUNG),
    "counter unknown before": ({"signs": BEFORE._replace(oom_kills=None), "next_signs": MORE}, UNKNOWN),
    "counter unknown after": ({"next_signs": SAME._replace(oom_kills=None)}, UNKNOWN),
    "counter went back": ({"next_signs": SAME._replace(oom_kills=0)}, UNKNOWN),
    # Hung, killed.
    "killed by 9": ({"answer": KILL_9}, KILLED),
    "killed by 9, then the host restarted": (NEW_BOOT | {"answer": KILL_9}, KILLED),
    "killed by 9 after the stop timeout": ({"answer": found("killed", 9, "timeout")}, HUNG),
    "aborted after the stop timeout": ({"answer": found("killed", 6, "timeout")}, HUNG),
    "killed by TERM": ({"answer": found("killed", 15)}, UNKNOWN),
    "exited with 0": ({"answer": found("exited", 0)}, UNKNOWN),
    "result alone": ({"answer": found(result="signal")}, UNKNOWN),
    # Crashed.
    "stack": ({"fatal_error": True}, CRASHED),
    "stack, then the host restarted": (NEW_BOOT | {"fatal_error": True}, CRASHED),
    "stack, and the counter grew": ({"fatal_error": True, "next_signs": MORE}, CRASHED),
    "core dumped": ({"answer": found("dumped", 11, "core-dump")}, CRASHED),
    **{
        f"killed by {number}": ({"answer": found("killed", number, "signal")}, CRASHED)
        for number in (4, 5, 6, 7, 8, 11, 31)
    },
    "exited with 3": ({"answer": found("exited", 3, "exit-code")}, CRASHED),
    # Under-voltage.
    "bit appeared": (NEW_BOOT | {"power_reset": 0, "next_power_reset": 2}, PROBABLY_SAGGED),
    "bit appeared beside others": (NEW_BOOT | {"power_reset": 16, "next_power_reset": 19}, PROBABLY_SAGGED),
    "bit was set before": (NEW_BOOT | {"power_reset": 2, "next_power_reset": 2}, UNKNOWN),
    "bit was unknown before": (NEW_BOOT | {"power_reset": None, "next_power_reset": 2}, UNKNOWN),
    "bit went away": (NEW_BOOT | {"power_reset": 2, "next_power_reset": 0}, UNKNOWN),
    "other bits": (NEW_BOOT | {"power_reset": 0, "next_power_reset": 0b11101}, UNKNOWN),
    "bit in the same boot": ({"power_reset": 0, "next_power_reset": 2}, UNKNOWN),
    "bit, but it had been killed": (NEW_BOOT | {"power_reset": 0, "next_power_reset": 2, "answer": KILL_9}, KILLED),
    "bit, but it had quit by a signal": (
        NEW_BOOT | {"power_reset": 0, "next_power_reset": 2, "answer": found("dumped", 3, "core-dump")},
        UNKNOWN,
    ),
    "bit, but it had crashed": (NEW_BOOT | {"power_reset": 0, "next_power_reset": 2, "fatal_error": True}, CRASHED),
    # A clean shutdown.
    "clean": (CLEAN, UNKNOWN),
    "clean, a child was killed": (CLEAN | {"answer": found(result="oom-kill")}, OOM),
    "clean, a child was killed, by the counter": (CLEAN | {"next_signs": MORE, "answer": NOTHING}, UNKNOWN),
    "clean, with little memory": (CLEAN | {"signs": LOW, "next_signs": MORE}, UNKNOWN),
    "clean, then a crash of the interpreter": (CLEAN | {"fatal_error": True}, UNKNOWN),
    "clean, then killed": (CLEAN | {"answer": found("killed", 9, "timeout")}, UNKNOWN),
    "clean, then the bit appeared": (CLEAN | NEW_BOOT | {"power_reset": 0, "next_power_reset": 2}, UNKNOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_cause(case: str) -> None:
    evidence, expected = CASES[case]
    assert cause(UNEXPECTED._replace(**evidence)) == expected


def test_every_cause_occurs() -> None:
    assert {name for _, (name, _) in CASES.values()} == {*CAUSES, None}
    assert len(CASES) >= 40


numbers = st.none() | st.integers(0, 255)
answers = st.builds(
    Answer,
    st.sampled_from([None, "found", "nothing_found", "unavailable"]),
    st.booleans(),
    st.none() | st.sampled_from(["oom-kill", "timeout", "signal", "exit-code", "core-dump", "success", ""]),
    st.none() | st.sampled_from(["exited", "killed", "dumped", ""]),
    numbers,
)
signs = st.builds(Signs, numbers, st.none() | st.integers(0, 10**10))
evidences = st.builds(
    Evidence, st.booleans(), st.booleans(), st.floats(-1e9, 1e9), signs, numbers, signs, numbers, st.booleans(), answers
)


@given(evidences)
def test_only_records_of_the_run_prove_a_cause(evidence: Evidence) -> None:
    name, proven = cause(evidence)
    assert name in {*CAUSES, None}
    assert isinstance(proven, bool)
    if proven:
        assert name
        without_counters = evidence._replace(signs=Signs(), next_signs=Signs(), power_reset=None)
        assert cause(without_counters) == (name, True)
        assert evidence.fatal_error or evidence.answer[1:] != Answer()[1:]


@given(evidences)
def test_silence_of_the_journal_changes_nothing(evidence: Evidence) -> None:
    found_nothing = cause(evidence._replace(answer=NOTHING))
    assert found_nothing == cause(evidence._replace(answer=UNAVAILABLE)) == cause(evidence._replace(answer=Answer()))
