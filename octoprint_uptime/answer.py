"""Name, round and format the values that the API, MQTT, the event, System info and the command line report."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from math import ceil, floor
from typing import Any, NamedTuple

from .clock import Uptime
from .formatting import DISPLAY_FORMATS, format_moment, format_uptime
from .restart_log import RUNS_KEPT, Figures, History, News, Period, Print, Restart, Span, Totals

Fields = dict[str, Any]

_MOST_DAYS = 366  # the most that ``?days=`` accepts


class Uptimes(NamedTuple):
    """The uptimes of the host, or of the container that OctoPrint runs in, and of OctoPrint."""

    system: Uptime
    octoprint: Uptime


class Facts(NamedTuple):
    """Everything that goes into an API response.

    ``values`` are the plugin's settings. ``sees_files`` is true if the caller has FILES_LIST. If the host's uptime is
    unknown, ``note`` says what to do about that, in the caller's language.
    """

    uptimes: Uptimes
    values: Mapping[str, Any]
    news: News
    sees_files: bool
    note: str | None
    plugin_version: str


def for_api(facts: Facts) -> Fields:
    """Return the response to ``GET /api/plugin/octoprint_uptime``."""
    uptimes, values, news, sees_files, note, plugin_version = facts
    fields = {
        **_uptime("", uptimes.system, DISPLAY_FORMATS),
        **_uptime("octoprint_", uptimes.octoprint, DISPLAY_FORMATS),
        **_source(uptimes.system),
        "uptime_available": uptimes.system.seconds is not None,
        "display_format": values["display_format"],
        "poll_interval_seconds": values["poll_interval_seconds"],
        "last_restart": news.last and _known_restart(news.last, sees_files),
        "unseen_restart": news.unseen
        and {**_known_restart(news.unseen, sees_files), "printed_since": news.printed_since},
        "unseen_restarts": news.unseen_shutdowns,
        "unseen_lost_prints": news.unseen_lost_prints,
        "recorded_since": _moment(news.recorded_since),
        **_totals(news.totals),
        "plugin_version": plugin_version,
    }
    return fields if note is None else {**fields, "uptime_note": note}


def wants_metrics(arguments: Mapping[str, str]) -> bool:
    """Return whether the caller asks for metrics instead of JSON. Raises `ValueError` for other formats."""
    wanted = arguments.get("format", "json")
    if wanted not in ("json", "prometheus"):
        raise ValueError("format must be json or prometheus")
    return wanted == "prometheus"


def for_mqtt(uptimes: Uptimes, news: News, plugin_version: str) -> Fields:
    """Return the state for MQTT, without values that change as time passes, such as uptimes in seconds."""
    return {
        "started_at": _moment(uptimes.system.started),
        "octoprint_started_at": _moment(uptimes.octoprint.started),
        "uptime_scope": uptimes.system.scope,
        "last_restart": news.last and _known_restart(news.last, sees_files=False),
        "unseen_restarts": news.unseen_shutdowns if news.totals else None,
        "unseen_lost_prints": news.unseen_lost_prints if news.totals else None,
        "recorded_since": _moment(news.recorded_since),
        **_totals(news.totals),
        "plugin_version": plugin_version,
    }


class Asked(NamedTuple):
    """The restarts that a caller asks for: the newest ``restarts`` of the last ``days``, or of all time if None."""

    restarts: int
    days: int | None


def asked(arguments: Mapping[str, str]) -> Asked | None:
    """Return what ``?restarts=20`` and ``?days=30`` ask for; None if neither is given.

    Raises `ValueError`, with a message for the caller, if one of them is not a whole number within its bounds.
    """
    restarts = _count(arguments, "restarts", RUNS_KEPT)
    days = _count(arguments, "days", _MOST_DAYS)
    return None if restarts is days is None else Asked(restarts or RUNS_KEPT, days)


def _count(arguments: Mapping[str, str], name: str, most: int) -> int | None:
    text = arguments.get(name)
    if text is None:
        return None
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= count <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}")
    return count


def of_the_past(
    history: History | None,
    period: Period | None,
    asked: Asked,
    sees_files: bool,
    survives_reboot: bool | None = None,
) -> Fields:
    """Return the fields that ``?restarts=20`` and ``?days=30`` add to a response.

    ``history`` is None while the log is off. ``period`` and ``survives_reboot`` are None then, and also until the log
    has been read. Without ``days``, ``period`` is always None.
    """
    found = islice(history.restarts(asked.days), asked.restarts) if history else ()
    unrecorded = history.unrecorded() if history else ()
    fields: Fields = {
        "restarts": [restart(each, sees_files) for each in found],
        "not_recorded": [{"from": _moment(each.since), "to": _moment(each.until)} for each in unrecorded],
        "survives_reboot": survives_reboot,
    }
    return fields if asked.days is None else {**fields, "history": period and _period(period)}


def _period(period: Period) -> Fields:
    return {
        "from": _moment(period.since),
        "to": _moment(period.until),
        "octoprint": _spans(period.octoprint),
        "host": _spans(period.host),
        "figures": _figures(period.figures),
    }


def _spans(spans: Iterable[Span]) -> list[Fields]:
    return [{"from": _moment(span.since), "to": _moment(span.until), "state": span.state} for span in spans]


def _figures(figures: Figures) -> Fields:
    return {
        "restarts": figures.restarts,
        "unexpected_shutdowns": figures.unexpected_shutdowns,
        "lost_prints": figures.lost_prints,
        "running_seconds_min": figures.running_min,
        "running_seconds_max": figures.running_max,
        "recorded_seconds": figures.recorded,
        "longest_uptime_seconds": _whole(figures.longest_uptime),
        "longest_uptime_is_exact": figures.longest_uptime_is_exact,
        **_bounds("unexpected_downtime", figures.unexpected_downtime_min, figures.unexpected_downtime_max),
    }


def restart(found: Restart, sees_files: bool) -> Fields:
    """Return one restart for the API or, without file names, for the event's payload."""
    return {
        "id": found.id,
        "kind": found.kind,
        "clean": found.clean,
        "run_started_at": _moment(found.run_started),
        "ended_after": _moment(found.ended_after),
        "ended_before": _moment(found.ended_before),
        "host_started_at": _moment(found.host_started),
        "started_at": _moment(found.started),
        **_bounds("downtime", found.downtime_min, found.downtime_max),
        "asked_by": found.asked_by,
        "cause": found.cause,
        "cause_proven": found.cause_proven,
        "crashed_in": found.crashed_in,
        "under_voltage_at": _moment(found.under_voltage),
        "memory_available_bytes": found.memory,
        "journal": found.journal,
        "octoprint_version": found.version,
        "lost_print": found.lost_print and _print(found.lost_print, sees_files),
        "unattended_print": found.unattended_print and _print(found.unattended_print, sees_files),
        "dismissed": found.dismissed,
    }


# Polls repeat the same restarts, so cache them. Callers must not change the result.
_known_restart = lru_cache(maxsize=4)(restart)


def error(message: str) -> Fields:
    """Return the body of an error response."""
    return {"error": message, "uptime_available": False}


def for_system_info(uptimes: Uptimes) -> Fields:
    """Return the uptimes for OctoPrint's System info."""
    system, octoprint = uptimes
    return {**_uptime("", system, ("full",)), **_uptime("octoprint_", octoprint, ("full",)), **_source(system)}


def restart_for_system_info(last: Restart | None) -> Fields:
    """Return the last restart for OctoPrint's System info, always in English."""
    if last is None:
        return {"last_restart": None, "last_restart_at": None}
    how = "unexpected shutdown" if last.unexpected else "clean shutdown"
    if last.cause:
        probably = "" if last.cause_proven else "probably "
        crashed_in = f" in {last.crashed_in}" if last.crashed_in else ""
        how += f" ({probably}{last.cause.replace('_', ' ')}{crashed_in})"
    printing = ""
    if last.lost_print:
        printing = ", a print was lost"
    elif last.unattended_print:
        printing = ", an unattended print may have continued"
    return {"last_restart": f"{last.kind}, {how}{printing}", "last_restart_at": _moment(last.started)}


def for_command_line(system: Uptime, display_format: str) -> Fields:
    """Return the fields that ``octoprint plugins octoprint_uptime:show --json`` prints, with the API's names."""
    return {
        **_uptime("", system, ("full",)),
        **_source(system),
        "uptime_available": system.seconds is not None,
        "display_format": display_format,
    }


def seconds(uptime: Uptime) -> float | None:
    """Return the uptime in seconds, rounded to hundredths; None if it is unknown."""
    return None if uptime.seconds is None else round(uptime.seconds, 2)


def _uptime(prefix: str, uptime: Uptime, formats: Iterable[str]) -> Fields:
    rounded = seconds(uptime)
    fields: Fields = {f"{prefix}seconds": rounded, f"{prefix}started_at": _moment(uptime.started)}
    for display_format in formats:
        name = f"{prefix}uptime" if display_format == "full" else f"{prefix}uptime_{display_format}"
        fields[name] = None if rounded is None else format_uptime(rounded, display_format)
    return fields


def _source(system: Uptime) -> Fields:
    return {"uptime_source": system.source, "uptime_scope": system.scope}


def _totals(totals: Totals | None) -> Fields:
    return totals._asdict() if totals else dict.fromkeys(Totals._fields)


def _print(found: Print, sees_files: bool) -> Fields:
    percent, position, z, seen = found.progress or (None, None, None, None)
    path = found.path or None if sees_files else None
    return {
        "file": path and path.rpartition("/")[2],
        "path": path,
        "origin": found.origin,
        "progress": None if percent is None else floor(percent * 10) / 10,
        "position_bytes": position,
        "z": None if z is None else round(z, 3),
        "seen_at": _moment(seen),
        "started_at": _moment(found.started),
    }


def _moment(moment: float | None) -> str | None:
    return None if moment is None else format_moment(moment)


def _bounds(name: str, least: float | None, most: float | None) -> Fields:
    """Return bounds in whole seconds: the minimum rounded down and the maximum up, or both down if they are equal."""
    rounded = None if most is None else int(most) if least == most else ceil(most)
    return {f"{name}_seconds_min": _whole(least), f"{name}_seconds_max": rounded}


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
