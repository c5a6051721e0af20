"""Note what code writes to the standard streams, and which of them it closes."""

from __future__ import annotations

import ctypes
import io
import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

_NAMES = {1: "stdout", 2: "stderr"}
_FEWEST = 12
"""Minimum number of characters of a text that is recognized in what was printed."""
_BEGINNING = 24
"""Number of characters of it that are looked for: what is printed may be cut."""


@dataclass
class Output:
    """What was written while a body ran."""

    parts: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    """Standard streams that were open before, and closed afterwards."""

    def quoted(self, texts: Iterable[str]) -> str:
        """Return the first of the texts that was written, at least its beginning; empty where none was."""
        written = "".join(self.parts)
        for text in texts if written else ():
            beginning = text.strip()[:_BEGINNING]
            if len(beginning) >= _FEWEST and " " in beginning and beginning in written:
                return text
        return ""


@contextmanager
def noted_output() -> Iterator[Output]:
    """Note what the body writes to standard output and error, also by their descriptors; it is shown, too.

    Afterwards both are what they were before, whatever the body did with them.
    """
    output, before = Output(), (sys.stdin, sys.stdout, sys.stderr)
    flush_all()
    kept = {number: os.dup(number) for number in _NAMES}
    with tempfile.TemporaryFile() as file:
        for number in _NAMES:
            os.dup2(file.fileno(), number)
        stand_ins: list[TextIO] = [_copied(number, output, before[number]) for number in _NAMES]
        sys.stdin, (sys.stdout, sys.stderr) = io.StringIO(), stand_ins
        stand_ins.insert(0, sys.stdin)
        try:
            yield output
        finally:
            names = zip(("stdin", *_NAMES.values()), stand_ins, strict=True)
            output.closed += [f"sys.{name}" for name, stream in names if stream.closed]
            output.closed += [f"descriptor {number}" for number in _NAMES if _is_closed(number)]
            sys.stdin, sys.stdout, sys.stderr = before
            flush_all(*stand_ins[1:])
            for number, descriptor in kept.items():
                os.dup2(descriptor, number)
                os.close(descriptor)
        file.seek(0)
        below = file.read().decode(errors="replace")
    if below:
        output.parts.append(below)
        sys.stderr.write(below)


class _Copy(io.RawIOBase):
    """A stream that notes what it gets, and hands it on."""

    def __init__(self, number: int, output: Output, target: TextIO) -> None:
        self._number, self._output, self._target = number, output, target

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor, for a process that is started with it."""
        return self._number

    def isatty(self) -> bool:
        """Return that it is no terminal."""
        return False

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - bytes, or a view of some
        """Note and hand on; return the number of bytes."""
        written = bytes(content)
        text = written.decode(errors="replace")
        self._output.parts.append(text)
        with suppress(OSError, ValueError):  # it may be closed by the time a library writes here
            self._target.write(text)
        return len(written)


def _copied(number: int, output: Output, target: TextIO) -> TextIO:
    buffer = io.BufferedWriter(_Copy(number, output, target))
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", write_through=True)


def flush_all(*streams: TextIO) -> None:
    """Write what Python and C hold back, so that it goes where it was written to."""
    for stream in (*streams, sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False
