"""The oracle: what came of an input, and whether that is a finding.

A reader may return, or raise HarnessError that can be printed. Anything else is a finding: another exception,
a run of more than LIMIT seconds, a warning, a file that is written or a process that is started elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fuzzing.inputs import Input
    from fuzzing.targets import Target

LIMIT = 5.0
"""Seconds; a small file that takes longer hangs, as far as a user can tell."""
MOST_SAID = 20_000
"""Characters of a message: more is a file that was printed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an input."""

    outcome: Literal["accepted", "refused", "finding"]
    seconds: float
    what: str = ""
    """The kind of a finding, such as `ValueError in harness/tasks/readers.py:render`."""
    told: str = ""
    """The message of a refusal, or the traceback of a finding."""


class Hangs(BaseException):
    """Raised by the alarm; no Exception, so that nobody catches it."""


def judge(target: Target, given: Input, sandbox: Path, limit: float = LIMIT) -> Verdict:
    """Give an input to its target, in an empty folder, and say what came of it."""
    shutil.rmtree(sandbox, ignore_errors=True)
    sandbox.mkdir(parents=True)
    given.write(sandbox)
    begun = time.perf_counter()
    outcome, what, told = _outcome(target, sandbox, limit)
    seconds = time.perf_counter() - begun
    if outcome != "finding" and seconds > 1.5 * limit:
        return Verdict("finding", seconds, f"took too long in {target.name}", "the alarm was not heard")
    return Verdict(outcome, seconds, what, told)


def _outcome(target: Target, sandbox: Path, limit: float) -> tuple[Any, str, str]:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    outcome, told = "accepted", ""
    try:
        with (
            contextlib.chdir(sandbox),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(record=True) as warned,
            watched(sandbox) as strayed,
            _alarm(limit),
        ):
            warnings.simplefilter("always")
            try:
                target.call(sandbox)
            except HarnessError as error:
                outcome, told = "refused", str(error)
                _check_message(told)
            printed.flush()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return "finding", f"{type(error).__name__} in {_place(error)}", traceback.format_exc()
    if strayed:
        return "finding", f"left the sandbox in {target.name}", "\n".join(strayed)
    if warned:
        first = warned[0]
        return (
            "finding",
            f"{first.category.__name__} at {_shown(first.filename)}",
            "\n".join(map(str, warned)),
        )
    return outcome, "", told


def _check_message(message: str) -> None:
    """A refusal must be a message that a terminal takes, not a copy of the file."""
    from harness.cli.output import clean

    clean(message).encode()
    if len(message) > MOST_SAID:
        raise ValueError(f"a message of {len(message)} characters: {message[:300]}")


def _place(error: BaseException) -> str:
    """The innermost of our own functions in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "/harness" in one.filename and "/fuzzing/" not in one.filename]
    last = (ours or frames)[-1]
    return f"{_shown(last.filename)}:{last.name}"


def _shown(filename: str) -> str:
    """A path below the repository or a library."""
    for part in ("/site-packages/", "/plugins/", "/harness/", "/tests/"):
        between, after = filename.rpartition(part)[1:]
        if between:
            return after if part == "/site-packages/" else f"{part.strip('/')}/{after}"
    return filename


@contextlib.contextmanager
def _alarm(limit: float) -> Iterator[None]:
    def ring(number: int, frame: Any) -> None:
        raise Hangs(f"more than {limit} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- what leaves the sandbox -----------------------------------------------------------------------------

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "shutil.rmtree", "shutil.move", "shutil.copyfile",
}  # fmt: skip
_NEVER = {
    "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
    "pickle.find_class",
}  # fmt: skip
_watching: list[tuple[str, list[str]]] = []
"""The sandbox and what strayed from it, while an input runs."""
_hooked: list[bool] = []


@contextlib.contextmanager
def watched(sandbox: Path) -> Iterator[list[str]]:
    """Note what Python writes outside a folder, each process started, connection made and pickle opened."""
    if not _hooked:
        sys.addaudithook(_audit)  # for the life of the process
        _hooked.append(True)
    strayed: list[str] = []
    _watching.append((str(sandbox.absolute()), strayed))
    try:
        yield strayed
    finally:
        _watching.pop()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, _, flags = arguments
        paths = [path] if isinstance(flags, int) and flags & _WRITES else []
    elif event in _NEVER:
        _watching[-1][1].append(f"{event} {arguments!r:.200}")
        return
    else:
        paths = list(arguments[:2]) if event in _CHANGES else []
    sandbox, strayed = _watching[-1]
    for path in paths:
        if isinstance(path, str | bytes | os.PathLike):
            full = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - links are not followed
            if not full.startswith(sandbox) and not full.startswith("/dev/") and "__pycache__" not in full:
                strayed.append(f"{event} {full}")
