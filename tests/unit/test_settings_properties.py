"""Test the rules of the settings with any value."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from octoprint_uptime import settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(sorted(settings.RULES))


def is_valid(key: str, value: Any) -> bool:
    match settings.RULES[key]:
        case settings.Flag():
            return value is True or value is False
        case settings.Choice(_, choices):
            return isinstance(value, str) and value in choices
        case settings.Whole(_, low, high):
            return type(value) is int and low <= value <= high


def test_defaults_are_valid() -> None:
    assert all(is_valid(key, value) for key, value in settings.defaults().items())


@given(KEYS, JSON)
def test_any_value_becomes_valid(key: str, raw: Any) -> None:
    values, complaints = settings.clean({key: raw})
    assert values.keys() == {key}
    assert is_valid(key, values[key])
    assert len(complaints) <= 1
    assert all("\n" not in complaint and len(complaint) < 300 for complaint in complaints)


@given(KEYS, JSON)
def test_cleaning_again_changes_nothing(key: str, raw: Any) -> None:
    values, _ = settings.clean({key: raw})
    assert settings.clean(values) == (values, [])


@given(st.dictionaries(KEYS | st.text(), JSON))
def test_settings_are_cleaned_independently(raw: dict[str, Any]) -> None:
    values, complaints = settings.clean(raw)
    assert values.keys() == raw.keys() & settings.RULES.keys()
    alone = [settings.clean({key: value}) for key, value in raw.items()]
    assert values == {key: value for each, _ in alone for key, value in each.items()}
    assert complaints == [line for _, lines in alone for line in lines]


@given(st.dictionaries(KEYS, JSON))
def test_cleaned_settings_survive_json(raw: dict[str, Any]) -> None:
    values, _ = settings.clean(raw)
    assert json.loads(json.dumps(values)) == values
