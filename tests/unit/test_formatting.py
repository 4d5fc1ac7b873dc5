"""Test how durations and times are formatted."""

import json
import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from octoprint_uptime import format_uptime, format_uptime_d, format_uptime_dh, format_uptime_dhm
from octoprint_uptime.formatting import format_moment

# Columns: seconds, full, dhm, dh, d. The page's formatter is tested with the same table.
TABLE = json.loads(Path(__file__).parents[1].joinpath("uptimes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("seconds", "full", "dhm", "dh", "d"), TABLE)
def test_each_format(seconds: float, full: str, dhm: str, dh: str, d: str) -> None:
    assert format_uptime(seconds) == format_uptime(seconds, "full") == full
    assert format_uptime(seconds, "dhm") == format_uptime_dhm(seconds) == dhm
    assert format_uptime(seconds, "dh") == format_uptime_dh(seconds) == dh
    assert format_uptime(seconds, display_format="d") == format_uptime_d(seconds) == d


@pytest.mark.parametrize("seconds", [-0.0, True, 1.5, Decimal("61.5"), Fraction(7, 2), 10**30])
def test_any_real_number_is_formatted(seconds: Any) -> None:
    assert format_uptime(seconds) == format_uptime(math.floor(seconds))


@pytest.mark.parametrize("seconds", [-1, -0.1, math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("Infinity")])
@pytest.mark.parametrize("format_any", [format_uptime, format_uptime_dhm, format_uptime_dh, format_uptime_d])
def test_impossible_duration_raises_value_error(format_any: Any, seconds: float) -> None:
    with pytest.raises(ValueError, match="an uptime must"):
        format_any(seconds)


@pytest.mark.parametrize("seconds", ["60", "", None, [60], {}, 1j, b"60", object()])
def test_other_types_raise_type_error(seconds: Any) -> None:
    with pytest.raises(TypeError):
        format_uptime(seconds)


@pytest.mark.parametrize("display_format", ["short", "FULL", "", None, ["full"], 1])
def test_unknown_format_raises_value_error(display_format: Any) -> None:
    with pytest.raises(ValueError, match="full, dhm, dh, d"):
        format_uptime(60, display_format)


def test_import_does_not_load_octoprint() -> None:
    code = "import sys; from octoprint_uptime import format_uptime; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="/"
    ).stdout.split()
    assert "octoprint_uptime.formatting" in loaded
    assert not {"octoprint", "flask", "flask_babel", "psutil", "click", "octoprint_uptime.plugin"} & set(loaded)


@pytest.mark.parametrize(
    ("moment", "text"),
    [(0, "1970-01-01T00:00:00Z"), (1772366400.999, "2026-03-01T12:00:00Z"), (4102444799.5, "2099-12-31T23:59:59Z")],
)
def test_moment_is_formatted_in_utc(moment: float, text: str) -> None:
    assert format_moment(moment) == text
