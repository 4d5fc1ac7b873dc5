import math

import pytest

from octoprint_uptime.restart_log.records import Progress, number


@pytest.mark.parametrize("percent", [0, 12.5, 100])
@pytest.mark.parametrize(
    ("position", "z", "kept"),
    [(5000, 0.2, (5000, 0.2)), (0, -1, (0, -1.0)), (7.0, None, (7, None)), (None, 0, (None, 0.0))],
)
def test_a_progress_is_what_the_printer_says(
    percent: float, position: object, z: object, kept: tuple[int | None, float | None]
) -> None:
    assert Progress.of(percent, position, z, 60.0) == Progress(percent, *kept, 60.0)


@pytest.mark.parametrize("percent", [None, "50", math.nan, math.inf, -0.1, -100, 100.1, 125, 10**400, [50]])
def test_wrong_percentage_is_unknown_and_the_rest_stays(percent: object) -> None:
    assert Progress.of(percent, 5000, 0.2, 60.0) == Progress(None, 5000, 0.2, 60.0)


@pytest.mark.parametrize("nonsense", [None, "5", math.nan])
def test_progress_of_nothing_is_unknown(nonsense: object) -> None:
    assert Progress.of(nonsense, nonsense, nonsense, 60.0) is None


@pytest.mark.parametrize("nonsense", ["5", math.nan, math.inf, -math.inf, 1e300, 10**400, b"5", {}])
def test_of_a_progress_what_makes_no_sense_is_unknown(nonsense: object) -> None:
    assert Progress.of(50, nonsense, nonsense, None) == Progress(50.0, None, None, None)


def test_a_position_is_not_negative_though_a_height_may_be() -> None:
    assert Progress.of(50, -1, -1, None) == Progress(50.0, None, -1.0, None)


@pytest.mark.parametrize(("raw", "expected"), [(1, 1.0), (5, 5.0), (0.99, None), (5.01, None), ("3", None)])
def test_a_number_lies_between_its_bounds(raw: object, expected: float | None) -> None:
    assert number(raw, 1, 5) == expected
