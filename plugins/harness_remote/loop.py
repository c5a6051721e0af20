"""Run a coroutine in a thread of its own, where no other loop is; an interruption cancels it at once."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Found = TypeVar("Found")

_HEARS = 0.2
"""Maximum seconds until an interruption is heard that came between two waits."""
_TO_CANCEL = 2.0
"""Maximum seconds to wait until a coroutine that was canceled has closed its connections."""


def run_apart(make: Callable[[], Coroutine[None, None, Found]]) -> Found:
    """Return what a coroutine returns, or raise what it raises.

    The caller's thread may have a loop of its own, as a notebook's does. Ctrl-C in it cancels the coroutine:
    its connections are closed, and the interruption goes on. The thread never keeps a process from ending.
    """
    work = _Work(make)
    thread = threading.Thread(target=work.run, name="harness-remote", daemon=True)
    thread.start()
    try:
        # Without an end, a wait that begins just after a signal came would not hear of it.
        while not work.over.wait(_HEARS):
            pass
    except BaseException:
        work.cancel()
        thread.join(_TO_CANCEL)
        raise
    thread.join()
    if work.error is not None:
        raise work.error
    (result,) = work.results
    return result


class _Work(Generic[Found]):
    """A coroutine that runs, and its result."""

    def __init__(self, make: Callable[[], Coroutine[None, None, Found]]) -> None:
        self.over = threading.Event()
        self.results: list[Found] = []
        """The one result, once it is there."""
        self.error: BaseException | None = None
        self._make = make
        self._task: asyncio.Task[Found] | None = None
        self._canceled = False

    def run(self) -> None:
        """Run it in a new loop of this thread."""
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.error = error
        finally:
            self.over.set()

    def cancel(self) -> None:
        """Cancel it, from another thread."""
        self._canceled = True
        if (task := self._task) is not None:
            with suppress(RuntimeError):  # the loop is closed: it is over
                task.get_loop().call_soon_threadsafe(task.cancel)

    async def _main(self) -> None:
        self._task = asyncio.create_task(self._make())
        if self._canceled:
            self._task.cancel()
        self.results.append(await self._task)
