from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import hypothesis
import pytest

try:
    import octoprint_uptime
except ModuleNotFoundError:
    sys.exit("The tests run against the installed wheel: `make .venv/tools/.plugin`, then .venv/tools/bin/pytest.")

ENVIRONMENTS = Path(__file__).resolve().parents[1] / ".venv"

pytest.register_assert_rewrite("support", "recorded_runs", "page_parts")

# These take an emulated machine and 30 seconds each: `make machine`.
collect_ignore = ["machine"]

# Speed depends on the machine, so it is no failure. `--hypothesis-profile nightly` tries many more examples.
patient = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("usual", patient)
hypothesis.settings.register_profile("nightly", patient, max_examples=5_000)
hypothesis.settings.load_profile("usual")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--octoprint",
        action="append",
        metavar="VERSION",
        help="an OctoPrint in .venv to test in; may be given several times; default: each that is installed",
    )
    parser.addoption(
        "--everything",
        action="store_true",
        help="run each test in each OctoPrint, and the tests marked nightly",
    )
    machine = parser.getgroup("machine", "the ends of an emulated machine")
    machine.addoption("--ends", type=int, default=15, help="how many; 0 is each kind once")
    machine.addoption("--seed", type=int, default=0, help="the same ends for the same seed")
    machine.addoption("--kinds", default="", help="a regular expression for the names of the kinds; default: all")


def octoprints(config: pytest.Config) -> list[str]:
    """Return the versions to test in. Tests that need only one run in the first."""
    installed = sorted(path.parent.name.removeprefix("octoprint-") for path in ENVIRONMENTS.glob("octoprint-*/.plugin"))
    return config.getoption("--octoprint") or installed


def pytest_report_header(config: pytest.Config) -> str:
    return f"OctoPrint: {', '.join(octoprints(config)) or 'none is installed'}"


def has_marker(item: pytest.Item, name: str) -> bool:
    return item.get_closest_marker(name) is not None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "octoprint_environment" in metafunc.fixturenames:
        versions = octoprints(metafunc.config)
        if not versions:
            pytest.fail("No OctoPrint is installed; `make check` installs one, `make test` each.", pytrace=False)
        if not (metafunc.config.getoption("--everything") or has_marker(metafunc.definition, "each_octoprint")):
            versions = versions[:1]
        if has_marker(metafunc.definition, "connectors"):
            versions = [version for version in versions if not version.startswith("1.")]
        metafunc.parametrize("octoprint_environment", versions, indirect=True, scope="session")


@pytest.fixture(scope="session")
def octoprint_environment(request: pytest.FixtureRequest) -> Path:
    """Return the virtual environment of an OctoPrint with the plugin."""
    environment = ENVIRONMENTS / f"octoprint-{request.param}"
    if not (environment / ".plugin").exists():
        sentence = f"OctoPrint {request.param} is not installed; `make .venv/{environment.name}/.plugin` does that."
        pytest.fail(sentence, pytrace=False)
    return environment


@pytest.fixture(scope="session")
def octoprint_version(octoprint_environment: Path) -> str:
    """Return the version that OctoPrint reports: 'dev' in .venv is the name of a branch."""
    (folder,) = octoprint_environment.glob("lib/python*/site-packages")
    (found,) = importlib.metadata.distributions(name="OctoPrint", path=[str(folder)])
    return found.version


@pytest.fixture(scope="session", autouse=True)
def _tests_are_of_the_wheel() -> None:
    installed = Path(octoprint_uptime.__file__).resolve().parent.parent
    assert installed.name == "site-packages", f"octoprint_uptime comes from {installed}, not from an installed wheel"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out nightly tests, and begin with servers and large files so that both processes end together."""
    if not config.getoption("--everything"):
        nightly = [item for item in items if has_marker(item, "nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]
    items.sort(key=lambda item: ("e2e" not in item.path.parts, -item.path.stat().st_size))
