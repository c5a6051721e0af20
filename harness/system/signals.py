"""Ctrl-C and SIGTERM: the first lets what is being written be finished, the second waits for nothing."""

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
_WAIT = b"\nFinishing what is being written; once more stops at once.\n"


class Interrupted(KeyboardInterrupt):
    """A signal asked this process to end.

    signal: its number.
    advice: what the user should know, such as how to continue.
    """

    def __init__(self, number: int = signal.SIGINT, advice: str = "") -> None:
        super().__init__()
        self.signal, self.advice = number, advice

    @classmethod
    def with_advice(cls, error: BaseException, advice: str) -> Interrupted:
        """The same interruption, with what the user should know."""
        return cls(getattr(error, "signal", signal.SIGINT), advice)


@dataclass
class _State:
    """What is known of signals; they are handled in the main thread alone."""

    unbroken: int = 0
    """How many bodies of `defer_signals` the main thread is in."""
    received: int = 0
    waiting: int | None = None
    """The signal that waits for the outermost of them to end."""


_state = _State()


@contextmanager
def handle_signals() -> Iterator[None]:
    """Turn a first SIGINT or SIGTERM into `Interrupted` once nothing is being written, later ones at once.

    A signal that is ignored when this begins (nohup, a shell's background job) stays ignored.
    """
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _handle) for number in heeded}
    _state.received, _state.waiting = 0, None
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Let a first interruption wait until the body is done; only the main thread is ever interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.unbroken += 1
    try:
        yield
    finally:
        _state.unbroken -= 1
        if _state.waiting is not None and not _state.unbroken:
            number, _state.waiting = _state.waiting, None
            raise Interrupted(number)


def _handle(number: int, _frame: FrameType | None) -> None:
    _state.received += 1
    if _state.received == 1 and _state.unbroken:
        _state.waiting = number
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _WAIT)
        return
    _state.waiting = None
    raise Interrupted(number)
