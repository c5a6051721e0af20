"""Ctrl-C and SIGTERM: the first signal lets a write finish, a second one stops at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WAIT = b"\nFinishing a write; a second signal stops at once.\n"


class Interrupted(KeyboardInterrupt):
    """A signal asked this process to end.

    signal: its number.
    advice: a sentence for the user, such as how to continue.
    """

    def __init__(self, number: int = signal.SIGINT, advice: str = "") -> None:
        super().__init__()
        self.signal, self.advice = number, advice

    @classmethod
    def with_advice(cls, error: BaseException, advice: str) -> Interrupted:
        """Return the same interruption with a sentence for the user."""
        return cls(getattr(error, "signal", signal.SIGINT), advice)


@dataclass
class _State:
    """State of signal handling; signals are handled in the main thread only."""

    deferring: int = 0
    """Number of `defer_signals` bodies that the main thread is in."""
    received: int = 0
    last: int | None = None
    """The signal that was received last; None before the first."""
    waiting: int | None = None
    """Signal that waits for the outermost of them to end."""


_state = _State()


@contextmanager
def handle_signals() -> Iterator[None]:
    """Raise `Interrupted` for a first SIGINT or SIGTERM when no write is running, for later ones at once.

    A signal that was ignored before (nohup, a shell's background job) stays ignored.
    """
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _handle) for number in handled}
    _state.received, _state.last, _state.waiting = 0, None, None
    try:
        yield
    finally:
        _state.last = None
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Let a first interruption wait until the body is done; only the main thread is interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.deferring += 1
    try:
        yield
    finally:
        _state.deferring -= 1
        if _state.waiting is not None and not _state.deferring:
            number, _state.waiting = _state.waiting, None
            raise Interrupted(number)


def received_signals() -> int:
    """Return how many signals this process has received since `handle_signals` began; for `interruption`."""
    return _state.received


def interruption(error: BaseException | None, before: int) -> KeyboardInterrupt | None:
    """Return the user's interruption that an error is, or that code of a plugin hid; None if there is none.

    error: what the code raised; None for an Exception or nothing at all.
    before: `received_signals` before the code ran.
    A KeyboardInterrupt is the user's if a signal came meanwhile, and wherever signals do not come to our
    handler: in a Python user's own program, or after a plugin put one of its own in its place.
    """
    if isinstance(error, Interrupted):
        return error
    if _state.last is not None and _state.received > before and _state.waiting is None:
        return Interrupted(_state.last)
    ours = signal.getsignal(signal.SIGINT) is _handle
    return error if isinstance(error, KeyboardInterrupt) and not ours else None


def _handle(number: int, _frame: FrameType | None) -> None:
    _state.received, _state.last = _state.received + 1, number
    if _state.received == 1 and _state.deferring:
        _state.waiting = number
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _WAIT)
        return
    _state.waiting = None
    raise Interrupted(number)
