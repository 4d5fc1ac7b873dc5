"""Read the metrics back with the library's own parser."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from made_up_restart import MARCH, RESTART
from octoprint_uptime import metrics
from octoprint_uptime.answer import Uptimes
from octoprint_uptime.clock import Uptime
from octoprint_uptime.restart_log import News, Totals

HOST, OCTOPRINT = Uptime(93784.5, "proc", MARCH + 0.9, "host"), Uptime(60.9, "psutil", MARCH + 93724.1)
UNKNOWN = Uptime(None, None, None)
UNEXPLAINED = RESTART._replace(cause=None)
NEWS = News(UNEXPLAINED, UNEXPLAINED, 3, 2, MARCH, totals=Totals(12, 5, 4, 7))
FACTS = metrics.Facts(Uptimes(HOST, OCTOPRINT), NEWS, False, "1.2.0", "1.11.8")
INFO = ("info", ("octoprint_version", "1.11.8"), ("scope", "host"), ("version", "1.2.0"))
UNSEEN = ("unseen_restarts", "unseen_lost_prints")
LAST = "last_restart_timestamp_seconds"

Key = tuple[Any, ...]


def samples(facts: metrics.Facts) -> dict[Key, float]:
    """Return the value of each sample by its name and labels."""
    found: dict[Key, float] = {}
    families = text_string_to_metric_families(metrics.text(facts).decode())  # type: ignore[no-untyped-call]
    for family in families:
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")
            assert family.documentation
            key = (sample.name.removeprefix("octoprint_uptime_"), *sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def test_everything_that_is_known() -> None:
    assert samples(FACTS) == {
        INFO: 1,
        ("host_start_time_seconds",): MARCH,
        ("process_start_time_seconds",): MARCH + 93724,
        ("printing",): 0,
        ("recorded_runs_total",): 12,
        ("unexpected_shutdowns_total",): 5,
        ("lost_prints_total",): 4,
        ("boots_total",): 7,
        ("unseen_restarts",): 3,
        ("unseen_lost_prints",): 2,
        (LAST, ("clean", "false"), ("kind", "host")): MARCH + 240,
    }


def test_first_run_has_every_count_and_no_restart() -> None:
    found = samples(FACTS._replace(news=News(totals=Totals(1))))
    assert found[("recorded_runs_total",)] == 1
    for name in ("unexpected_shutdowns_total", "lost_prints_total", "boots_total", *UNSEEN):
        assert found[(name,)] == 0
    assert LAST not in {name for name, *_ in found}


def test_without_the_log_there_are_uptimes_and_the_print() -> None:
    found = samples(FACTS._replace(news=News(), is_printing=True))
    assert found == {
        INFO: 1,
        ("host_start_time_seconds",): MARCH,
        ("process_start_time_seconds",): MARCH + 93724,
        ("printing",): 1,
    }


def test_unknown_uptimes_and_dates_are_left_out() -> None:
    news = NEWS._replace(last=UNEXPLAINED._replace(started=None))
    found = samples(FACTS._replace(uptimes=Uptimes(UNKNOWN, UNKNOWN), news=news))
    assert ("info", ("octoprint_version", "1.11.8"), ("version", "1.2.0")) in found
    names = {name for name, *_ in found}
    assert names == {"info", "printing", *UNSEEN, *(f"{name}_total" for name in Totals._fields)}


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("kind", ["host", "container", "octoprint"])
def test_last_restart_has_its_kind_and_whether_it_was_clean(kind: str, clean: bool) -> None:
    news = NEWS._replace(last=UNEXPLAINED._replace(kind=kind, clean=clean))
    assert (LAST, ("clean", str(clean).lower()), ("kind", kind)) in samples(FACTS._replace(news=news))


def test_last_restart_has_its_cause_if_it_is_known() -> None:
    news = NEWS._replace(last=UNEXPLAINED._replace(cause="under_voltage"))
    assert (LAST, ("cause", "under_voltage"), ("clean", "false"), ("kind", "host")) in samples(
        FACTS._replace(news=news)
    )


# UTF-8 has no surrogates.
@given(st.text(st.characters(exclude_categories=["Cs"])), st.text('"\\\n{},= ü'))
def test_every_version_is_read_back_unchanged(version: str, octoprint_version: str) -> None:
    found = samples(FACTS._replace(plugin_version=version, octoprint_version=octoprint_version))
    assert ("info", ("octoprint_version", octoprint_version), ("scope", "host"), ("version", version)) in found


@pytest.mark.parametrize("broken", ["prometheus_client", "prometheus_client.core", "prometheus_client.registry"])
def test_missing_library_is_reported_with_a_remedy(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setitem(sys.modules, broken, None)
    with pytest.raises(metrics.MissingLibraryError, match="pip install prometheus_client"):
        metrics.text(FACTS)


def test_damaged_library_is_reported_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A power cut may leave a file full of NUL bytes."""
    library = tmp_path / "prometheus_client"
    library.mkdir()
    (library / "__init__.py").write_bytes(bytes(9))
    for name in [name for name in sys.modules if name.partition(".")[0] == "prometheus_client"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(metrics.MissingLibraryError, match="--force-reinstall"):
        metrics.text(FACTS)


def test_library_is_the_lowest_that_is_allowed() -> None:
    requirements = importlib.metadata.requires("OctoPrint-Uptime") or []
    assert f"prometheus_client>={importlib.metadata.version('prometheus_client')}" in requirements


def test_library_is_imported_by_the_first_scrape_and_not_before() -> None:
    code = "import sys; from octoprint_uptime import metrics; assert 'prometheus_client' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")
