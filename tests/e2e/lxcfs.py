"""A file that runs like a container's /proc/uptime."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from support import boot_clock


class Lxcfs:
    """Rewrite a file in place, ten times a second, as long as the context lasts.

    The container started when the host had been up for half of its current uptime.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._bad: bytes | None = None
        self._lock = threading.Lock()
        self._started = boot_clock() / 2
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def age(self) -> float:
        return boot_clock() - self._started

    def show(self, bad: bytes | None) -> None:
        """Show this content from now on, or the uptime again if it is None."""
        with self._lock:
            self._bad = bad
        self._write()

    def _write(self) -> None:
        with self._lock, self.file.open("r+b", buffering=0) as file:
            file.write(f"{self.age:.2f} 1000.00\n".encode() if self._bad is None else self._bad)
            file.truncate()

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            self._write()

    def __enter__(self) -> Lxcfs:
        self.file.touch()
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
