"""A real pseudo-terminal with a screen that can be read, for commands that look whether they have one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte


class Terminal:
    """A command in a terminal of its own.

    Attributes:
        raw: everything that it wrote.
        screen: what a person sees.
    """

    def __init__(self, command: list[str], folder, *, columns=100, rows=30, **environment) -> None:
        self.raw = b""
        self.screen = pyte.HistoryScreen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        # CI sets these for the tests themselves; a person's terminal has neither.
        own = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "COLUMNS", "LINES")}
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**own, "TERM": "xterm-256color", **environment},
            preexec_fn=_controlled,  # noqa: PLW1509
        )
        self._slave = slave

    def text(self) -> str:
        """Return the screen with what has scrolled off its top."""
        gone = ["".join(line[column].data for column in sorted(line)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*gone, *self.screen.display])

    def read(self, seconds=0.1) -> bool:
        """Take in what was written, waiting at most so long; False if nothing came."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        part = os.read(self._master, 65536)
        self.raw += part
        self._stream.feed(part)
        return True

    def wait_for(self, *words: str, seconds=120) -> str:
        """Read until all words are on the screen; return it."""
        deadline = time.monotonic() + seconds
        while not all(word in self.text() for word in words):
            assert time.monotonic() < deadline, f"{words} did not come:\n{self.text()}"
            assert self.read() or self.process.poll() is None, f"{words} never came:\n{self.text()}"
        return self.text()

    def press_interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    def end(self, seconds=120) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text()
            self.read()
        while self.read():
            pass
        return self.process.returncode

    def sane(self) -> bool:
        """Whether the terminal is as it was: its modes, and a cursor that shows."""
        return termios.tcgetattr(self._slave) == self.before and not self.screen.cursor.hidden

    def close(self) -> None:
        """End the command and the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self._slave)


def _controlled() -> None:
    """Make the terminal the command's own, so that Ctrl-C reaches it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def claims(*words: str) -> list[str]:
    """Return the command `claims`."""
    return [sys.executable, "-c", "from harness.cli.main import main; raise SystemExit(main())", *words]
