"""The OctoPrint that `make run` starts."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from octoprint_server import free_port
from page_parts import open_popover
from support import BOTH, OctoPrint, OpenPage, entry

pytestmark = pytest.mark.each_octoprint

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "octoprint_server.py"


@pytest.fixture
def running(octoprint_executable: Path, tmp_path: Path) -> Iterator[OctoPrint]:
    """Run the script in a new data folder, but one with a G-code file, which OctoPrint's File Check offers to check."""
    server = OctoPrint(octoprint_executable, tmp_path / "data", free_port())
    (server.basedir / "uploads").mkdir(parents=True)
    (server.basedir / "uploads" / "cube.gcode").write_text("G28\n")
    python = octoprint_executable.with_name("python")
    command: list[str | Path] = [python, SCRIPT, "--basedir", server.basedir, "--port", str(server.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"OctoPrint is at {server.url}\n"
        yield server
        process.send_signal(signal.SIGINT)
    server.check_log()


def test_no_dialog_covers_its_page(running: OctoPrint, open_page: OpenPage) -> None:
    page = open_page(running)
    expect(entry(page)).to_have_text(BOTH)
    assert page.evaluate("CONFIG_WIZARD") is False
    expect(page.locator(".modal:visible")).to_have_count(0)
    open_popover(page)
