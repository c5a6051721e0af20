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
    _state.received, _state.waiting = 0, None
    try:
        yield
    finally:
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


def _handle(number: int, _frame: FrameType | None) -> None:
    _state.received += 1
    if _state.received == 1 and _state.deferring:
        _state.waiting = number
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _WAIT)
        return
    _state.waiting = None
    raise Interrupted(number)
