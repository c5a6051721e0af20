"""Standard streams that cannot end a command: an output that fails is noted, and the work goes on.

Standard output is the command's own: its text goes to a duplicate of the descriptor that the command was
started with, and whatever else writes to descriptor 1 (a library in C, a process that is started) writes to
standard error. So the JSON of a command is JSON, whatever code of plugins does.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTPUT, _ERROR = 1, 2
_SIMPLER = {"–": "-", "−": "-", "→": ">", "±": "~", "·": "-", "…": ".", "¹": "1", "×": "x"}
"""Characters of our tables → what an encoding without them gets, as wide as they are."""
_REPLACED = "harness"
"""Name of our way to encode what an encoding does not have."""


_encodings: dict[int, str] = {}
"""Number of a stream that we protect → its encoding."""
_own: dict[int, int] = {}
"""Number of a stream that we protect → the descriptor of our own that leads where it led at the start."""
_sinks: dict[int, _Sink] = {}


class _Sink(io.FileIO):
    """A stream whose writes always succeed; the first error is kept."""

    error: OSError | None = None

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - bytes, or a view of some
        """Write, or drop what cannot be written; return the number of bytes."""
        size = memoryview(content).nbytes
        if self.error is None:
            try:
                return super().write(content) or 0
            except OSError as error:
                self.error = error
        return size


def protect_streams() -> None:
    """Open streams that are closed, and replace standard output and error by streams that cannot fail.

    A character that the encoding does not have becomes a simpler one, or its code. Streams that a program
    has replaced, as tests do, stay.
    """
    if _OUTPUT in _encodings and sys.stdout is sys.stderr:  # of an earlier command: `end_output`
        sys.stdout = _stream(_OUTPUT, _encodings[_OUTPUT])
    codecs.register_error(_REPLACED, _replace)
    for number in (0, _OUTPUT, _ERROR):
        _open_closed(number)
    sys.stdin = sys.stdin or os.fdopen(os.dup(0), encoding="utf-8")
    sys.stdout = _protected(sys.stdout, sys.__stdout__, _OUTPUT)
    sys.stderr = _protected(sys.stderr, sys.__stderr__, _ERROR)
    if _sink_of(sys.stdout) is not None:
        os.dup2(_ERROR, _OUTPUT)


def reopen_streams() -> None:
    """Open the streams of `protect_streams` again that code of a plugin has closed, or removed.

    What is printed goes where it went before; nothing is done where the streams were never protected.
    """
    if _encodings:
        _open_descriptors()
    for number, name in ((_OUTPUT, "stdout"), (_ERROR, "stderr")):
        if number in _encodings and not _is_open(getattr(sys, name)):
            setattr(sys, name, _stream(number, _encodings[number]))
    if _encodings and not _is_open(sys.stdin):
        sys.stdin = os.fdopen(os.dup(0), encoding="utf-8")


@contextmanager
def output_aside() -> Iterator[None]:
    """Send what Python code prints in the body to standard error: standard output is the command's own.

    Does nothing in a program that is no command of ours, whose user may print where it wants.
    """
    if not _encodings:
        yield
        return
    output = sys.stdout
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = output


def end_output() -> None:
    """Send what is printed from now on to standard error: the command has said all, and the process ends.

    Code of plugins may have asked to be called at exit.
    """
    if _OUTPUT in _encodings:
        sys.stdout = sys.stderr


def _open_descriptors() -> None:
    """Open the standard descriptors that are closed: the next file would get the number of one."""
    errors = _own.get(_ERROR)
    for number in (0, _OUTPUT, _ERROR):
        if _is_closed(number) and number and errors is not None:
            os.dup2(errors, number)
        else:
            _open_closed(number)


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def _is_open(stream: TextIO | None) -> bool:
    try:
        return stream is not None and not stream.closed
    except ValueError:  # its buffer was taken away
        return False


def output_error() -> str | None:
    """Flush standard output, and return why it could not be written; None if it was, or if its reader left.

    A reader that closes its pipe, such as `head`, has read what it wanted.
    """
    sink = _sink_of(sys.stdout)
    if sink is None:
        return None
    sys.stdout.flush()
    error = sink.error
    return None if error is None or error.errno == errno.EPIPE else error.strerror or str(error)


def _sink_of(stream: TextIO) -> _Sink | None:
    sink = getattr(getattr(stream, "buffer", None), "raw", None)
    return sink if isinstance(sink, _Sink) else None


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    first = error.object[error.start]
    if first in _SIMPLER:
        return _SIMPLER[first], error.start + 1
    return first.encode("ascii", "backslashreplace").decode(), error.start + 1


def _open_closed(number: int) -> None:
    """Open a stream that is closed: the next file that is opened would take its number, and its output."""
    if _is_closed(number):
        handle = os.open(os.devnull, os.O_RDWR)
        os.dup2(handle, number)
        if handle != number:
            os.close(handle)


def _protected(stream: TextIO | None, original: TextIO | None, number: int) -> TextIO:
    if stream is not None and (stream is not original or not isinstance(stream, io.TextIOWrapper)):
        return stream
    if stream is not None:
        stream.flush()
    return _stream(number, stream.encoding if stream is not None else "utf-8")


def _stream(number: int, encoding: str) -> TextIO:
    """Return a stream that cannot fail; it keeps the error of the one before it."""
    if number not in _own:
        _own[number] = os.dup(number)
    sink = _Sink(_own[number], "wb", closefd=False)
    sink.error = _sinks[number].error if number in _sinks else None
    _encodings[number], _sinks[number] = encoding, sink
    return io.TextIOWrapper(
        io.BufferedWriter(sink),
        encoding=encoding,
        errors=_REPLACED,
        line_buffering=number == _ERROR or sink.isatty(),
    )
