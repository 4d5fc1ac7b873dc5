"""Write the plugin's values as metrics for Prometheus."""

from collections.abc import Iterator, Mapping
from math import floor
from typing import NamedTuple

from .answer import Uptimes
from .restart_log import News

# Set here, because the library's own constant changes with its version. Every scraper reads this format.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MissingLibraryError(Exception):
    """The package ``prometheus_client`` is missing, broken or too old. The message says what to do."""


class Facts(NamedTuple):
    """Everything that goes into a scrape. ``is_printing`` is true while a print is running or paused."""

    uptimes: Uptimes
    news: News
    is_printing: bool
    plugin_version: str
    octoprint_version: str


class _Metric(NamedTuple):
    """A metric with one value. Its value, or that of a label, is None if it is unknown."""

    name: str
    help: str
    value: float | None
    labels: Mapping[str, str | None] = {}


def text(facts: Facts) -> bytes:
    """Return the metrics in Prometheus's text format, without unknown values. Raises `MissingLibraryError`."""
    # Import the library only here: that takes longer than a scrape, and most users never scrape.
    try:
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
        from prometheus_client.registry import Collector
    except Exception as error:  # a broken file can raise anything
        advice = (
            "run 'pip install prometheus_client' in OctoPrint's virtual environment, with --force-reinstall if it is "
            "broken or too old, and restart OctoPrint"
        )
        raise MissingLibraryError(f"prometheus_client can't be used: {advice}") from error

    class Metrics(Collector):
        def collect(self) -> Iterator[Metric]:
            for name, help_, value, labels in _metrics(facts):
                if value is not None:
                    known = {label: text for label, text in labels.items() if text is not None}
                    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
                    metric = kind(f"octoprint_uptime_{name}", help_, labels=list(known))
                    metric.add_metric(list(known.values()), value)
                    yield metric

    # The library's global registry also has the metrics of other plugins.
    registry = CollectorRegistry()
    registry.register(Metrics())
    return generate_latest(registry)


def _metrics(facts: Facts) -> Iterator[_Metric]:
    uptimes, news, is_printing, plugin_version, octoprint_version = facts
    known = {"version": plugin_version, "octoprint_version": octoprint_version, "scope": uptimes.system.scope}
    yield _Metric("info", "Versions, and whether the uptime is the host's or a container's", 1, known)
    yield _Metric("host_start_time_seconds", "When the host started", _whole(uptimes.system.started))
    yield _Metric("process_start_time_seconds", "When OctoPrint started", _whole(uptimes.octoprint.started))
    yield _Metric("printing", "1 while a print is running or paused", int(is_printing))
    if news.totals:
        runs, shutdowns, prints, boots = news.totals
        yield _Metric("recorded_runs_total", "Runs of OctoPrint ever recorded", runs)
        yield _Metric("unexpected_shutdowns_total", "Runs that stopped unexpectedly", shutdowns)
        yield _Metric("lost_prints_total", "Runs that lost a print", prints)
        yield _Metric("boots_total", "Runs that began after a new start of the host or LXC container", boots)
        yield _Metric("unseen_restarts", "Unexpected shutdowns that are not dismissed", news.unseen_shutdowns)
        yield _Metric("unseen_lost_prints", "Lost prints that are not dismissed", news.unseen_lost_prints)
    if news.last:
        labels = {"kind": news.last.kind, "clean": str(news.last.clean).lower(), "cause": news.last.cause}
        yield _Metric("last_restart_timestamp_seconds", "When OctoPrint came back", _whole(news.last.started), labels)


def _whole(moment: float | None) -> int | None:
    return None if moment is None else floor(moment)
