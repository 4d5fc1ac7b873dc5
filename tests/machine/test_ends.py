"""Test what the restart log reports about a whole machine that is shut down or crashed again and again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from figures import Figures
from kinds import bring_about, dealt, setup_of
from machine import Machine, Setup
from steps import End
from world import World


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    options = metafunc.config.option
    metafunc.parametrize("end", list(dealt(options.ends, options.seed, options.kinds)), ids=str)


class Worlds:
    """Keep the machine from one test to the next. After a failed test, create a new one."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._machine: Machine | None = None
        self._given_back: World | None = None

    def take(self, setup: Setup) -> World:
        """Return the machine, which may have another setup, or a new one with this setup."""
        if self._given_back is None:
            self.throw_away()
            self._machine = Machine(self._version)
            return World(self._machine, setup)
        world, self._given_back = self._given_back, None
        return world

    def give_back(self, world: World) -> None:
        """Offer the machine to the next test."""
        self._given_back = world

    def throw_away(self) -> None:
        if self._machine:
            self._machine.throw_away()
            self._machine = None


@pytest.fixture(scope="session")
def octoprint_in_machine(pytestconfig: pytest.Config) -> str:
    versions: list[str] = pytestconfig.option.octoprint or []
    if len(versions) != 1:
        pytest.fail("These tests need one OctoPrint and its machine. Run `make machine`.", pytrace=False)
    return versions[0]


@pytest.fixture(scope="session")
def worlds(octoprint_in_machine: str) -> Iterator[Worlds]:
    worlds = Worlds(octoprint_in_machine)
    yield worlds
    worlds.throw_away()


@pytest.fixture(scope="session")
def figures(octoprint_in_machine: str, pytestconfig: pytest.Config) -> Iterator[Figures]:
    figures = Figures()
    yield figures
    print(f"\n\nOctoPrint {octoprint_in_machine}, SEED={pytestconfig.option.seed}")
    print(*figures.table(), sep="\n")


def test_log_reports_what_happened(worlds: Worlds, end: End, figures: Figures) -> None:
    world = worlds.take(setup_of(end.kind))
    bring_about(world, end)
    figures.done(end.kind)
    octoprint = world.in_container if end.kind.startswith("container") else world.octoprint
    assert not world.wrong, "\n".join(world.wrong)
    figures.right(end.kind, octoprint.told[0])
    worlds.give_back(world)
