import re
from pathlib import Path
from typing import Any

import pytest

import octoprint_uptime

pytest.register_assert_rewrite("support")


@pytest.fixture(scope="session", autouse=True)
def _tests_are_of_the_wheel() -> None:
    installed = Path(octoprint_uptime.__file__).resolve().parent.parent
    assert installed.name == "site-packages", f"octoprint_uptime comes from {installed}, not from an installed wheel"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file, so that no process is alone with it at the end."""
    items.sort(key=lambda item: item.path.name != "test_restarts.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of one file and one OctoPrint in one process, which then starts that server once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFileAndOctoPrint(LoadScopeScheduling):  # type: ignore[misc] # has no types
        def _split_scope(self, nodeid: str) -> str:
            return re.sub(r"::[^[]*(\[[\d.]+(?:rc\d+)?)?.*", r"\1", nodeid)

    return ByFileAndOctoPrint(config, log)
