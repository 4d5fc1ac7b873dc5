from pathlib import Path

import pytest

import octoprint_uptime

pytest.register_assert_rewrite("support")


@pytest.fixture(scope="session", autouse=True)
def _tests_are_of_the_wheel() -> None:
    installed = Path(octoprint_uptime.__file__).resolve().parent.parent
    assert installed.name == "site-packages", f"octoprint_uptime comes from {installed}, not from an installed wheel"
