"""Fixtures of the tests that use a restart log's file."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from octoprint_uptime.restart_log import Restart


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "restart_log.db"


@pytest.fixture
def told() -> queue.SimpleQueue[Restart]:
    """The restarts that the log has announced."""
    return queue.SimpleQueue()
