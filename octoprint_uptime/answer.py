"""What is told, and to whom: the names, roundings and texts of API, event, System info and command line."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from .clock import Uptime
from .formatting import DISPLAY_FORMATS, format_moment, format_uptime
from .restart_log import RUNS_KEPT, News, Print, Restart, Unrecorded

Fields = dict[str, Any]

_MOST_DAYS = 366  # that ``?days=`` takes


def for_api(
    system: Uptime,
    octoprint: Uptime,
    scope: str | None,
    values: Mapping[str, Any],
    news: News,
    sees_files: bool,
    note: str | None,
    plugin_version: str,
) -> Fields:
    """The answer to ``GET /api/plugin/octoprint_uptime``.

    ``values`` are the plugin's settings, ``sees_files`` says whether the caller has FILES_LIST, and ``note`` is what
    to do about an unknown uptime of the host, in the caller's language.
    """
    fields = {
        **_uptime("", system, DISPLAY_FORMATS),
        **_uptime("octoprint_", octoprint, DISPLAY_FORMATS),
        **_source(system, scope),
        "uptime_available": system.seconds is not None,
        "display_format": values["display_format"],
        "poll_interval_seconds": values["poll_interval_seconds"],
        "last_restart": news.last and _known_restart(news.last, sees_files),
        "unseen_restart": news.unseen and _known_restart(news.unseen, sees_files),
        "unseen_restarts": news.unseen_ends,
        "unseen_lost_prints": news.unseen_lost_prints,
        "recorded_since": _moment(news.recorded_since),
        "plugin_version": plugin_version,
    }
    return fields if note is None else {**fields, "uptime_note": note}


class Asked(NamedTuple):
    """Which restarts a caller asks for: the newest so many, of those within the last ``days`` unless that is None."""

    restarts: int
    days: int | None


def asked(arguments: Mapping[str, str]) -> Asked | None:
    """What ``?restarts=20`` and ``?days=30`` ask for, None without either.

    Raises `ValueError`, with a sentence for the caller, where one of them is not a whole number within its bounds.
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


def restarts(found: Iterable[Restart], sees_files: bool) -> list[Fields]:
    """The list that ``?restarts=20`` or ``?days=30`` adds to the API's answer."""
    return [restart(each, sees_files) for each in found]


def not_recorded(found: Iterable[Unrecorded]) -> list[Fields]:
    """When nothing was recorded, as the list of restarts is accompanied by it."""
    return [{"from": _moment(each.since), "to": _moment(each.until)} for each in found]


def restart(found: Restart, sees_files: bool) -> Fields:
    """One restart, in the API and, without the file's name, as the event's payload."""
    return {
        "id": found.id,
        "kind": found.kind,
        "clean": found.clean,
        "run_started_at": _moment(found.run_started),
        "ended_after": _moment(found.ended_after),
        "ended_before": _moment(found.ended_before),
        "host_started_at": _moment(found.host_started),
        "started_at": _moment(found.started),
        "downtime_seconds_min": _whole(found.downtime_min),
        "downtime_seconds_max": _whole(found.downtime_max),
        "octoprint_version": found.version,
        "lost_print": found.lost_print and _print(found.lost_print, sees_files),
        "unattended_print": found.unattended_print and _print(found.unattended_print, sees_files),
        "dismissed": found.dismissed,
    }


# The same few are told from one answer to the next; nobody but the one that serves them has these dicts.
_known_restart = lru_cache(maxsize=4)(restart)


def error(message: str) -> Fields:
    """The body of every refusal and failure of the API."""
    return {"error": message, "uptime_available": False}


def for_system_info(system: Uptime, octoprint: Uptime, scope: str | None) -> Fields:
    """The uptimes in OctoPrint's System info."""
    return {**_uptime("", system, ("full",)), **_uptime("octoprint_", octoprint, ("full",)), **_source(system, scope)}


def restart_for_system_info(last: Restart | None) -> Fields:
    """The last restart in OctoPrint's System info, in English whoever reads it."""
    if last is None:
        return {"last_restart": None, "last_restart_at": None}
    how = "clean" if last.clean else "without warning"
    printing = ""
    if last.lost_print:
        printing = ", a print was lost"
    elif last.unattended_print:
        printing = ", a print from the printer's own storage may have gone on"
    return {"last_restart": f"{last.kind}, {how}{printing}", "last_restart_at": _moment(last.started)}


def for_command_line(system: Uptime, scope: str | None, display_format: str) -> Fields:
    """What ``octoprint plugins octoprint_uptime:show --json`` prints: the API's fields of the host's uptime."""
    return {
        **_uptime("", system, ("full",)),
        **_source(system, scope),
        "uptime_available": system.seconds is not None,
        "display_format": display_format,
    }


def seconds(uptime: Uptime) -> float | None:
    """The uptime in seconds, rounded to hundredths; None where it is unknown."""
    return None if uptime.seconds is None else round(uptime.seconds, 2)


def _uptime(prefix: str, uptime: Uptime, formats: Iterable[str]) -> Fields:
    rounded = seconds(uptime)
    fields: Fields = {f"{prefix}seconds": rounded, f"{prefix}started_at": _moment(uptime.started)}
    for display_format in formats:
        name = f"{prefix}uptime" if display_format == "full" else f"{prefix}uptime_{display_format}"
        fields[name] = None if rounded is None else format_uptime(rounded, display_format)
    return fields


def _source(system: Uptime, scope: str | None) -> Fields:
    return {"uptime_source": system.source, "uptime_scope": scope}


def _print(found: Print, sees_files: bool) -> Fields:
    percent, position, z, seen = found.progress or (None, None, None, None)
    path = found.path if sees_files and found.path else None
    return {
        "file": path and path.rpartition("/")[2],
        # Without an origin the path is not known, only its last part.
        "path": path if found.origin is not None else None,
        "origin": found.origin,
        "progress": None if percent is None else round(percent, 1),
        "position_bytes": position,
        "z": None if z is None else round(z, 3),
        "seen_at": _moment(seen),
        "started_at": _moment(found.started),
    }


def _moment(moment: float | None) -> str | None:
    return None if moment is None else format_moment(moment)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
