"""Run code of plugins, so that whatever it does costs no more than its own result."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, shortened
from harness.system.paths import known_start_folder, relative_to
from harness.system.redact import redact
from harness.system.signals import interruption, received_signals
from harness.system.streams import output_aside, reopen_streams

if TYPE_CHECKING:
    from collections.abc import Iterator


class PluginError(Exception):
    """Code of a plugin raised; the text says where and what, `__cause__` is what it raised."""


class PluginExitError(PluginError):
    """Code of a plugin raised what is not an `Exception`: SystemExit, GeneratorExit, a test's outcome, …"""


@contextmanager
def plugin_code() -> Iterator[None]:
    """Run code of a plugin as the body.

    The current folder, the umask, the limit of recursion, numpy's errors and torch's type of numbers are
    afterwards what they were before, and streams that the body closed are open. What it prints goes to
    standard error where a command writes its results to standard output. A process that the body forked and
    that left the body ends here, so that the run goes on once.
    In a thread that is not the main one, only what it raises is changed: the process is not the thread's.
    Raises `Interrupted` for the user's Ctrl-C, whatever the body made of it, `PluginExitError` for a
    BaseException that is not an Exception, and Exceptions as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        with _plugin_exit():
            yield
        return
    folder, process, signals, mask = _current_folder(), os.getpid(), received_signals(), _umask()
    modes = _modes()
    try:
        with relative_to(known_start_folder()), output_aside():
            yield
    except Exception:
        if received := interruption(None, signals):
            raise received from None
        raise
    except BaseException as error:
        if received := interruption(error, signals):
            raise received from None
        raise PluginExitError(error_sentence(error)) from error
    else:
        if received := interruption(None, signals):
            raise received
    finally:
        if os.getpid() != process:
            os._exit(1)
        _return_to(folder)
        os.umask(mask)
        _restore(modes)
        reopen_streams()


@contextmanager
def _plugin_exit() -> Iterator[None]:
    """Raise `PluginExitError` for what is not an Exception."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        raise PluginExitError(error_sentence(error)) from error


def _current_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - no object for each call
    except OSError:  # it was removed
        return None


def _umask() -> int:
    """Return the umask; it can only be read by setting it: for a moment, new files are the user's alone."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _modes() -> tuple[int, dict[str, Any] | None, Any]:
    """Return the modes of Python, numpy and torch that code of a plugin may set, for `_restore`.

    numpy and torch are asked only where they are loaded; a module that is being imported lacks functions.
    """
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    errors, dtype = getattr(numpy, "geterr", None), getattr(torch, "get_default_dtype", None)
    return sys.getrecursionlimit(), errors and errors(), dtype and dtype()


def _restore(modes: tuple[int, dict[str, Any] | None, Any]) -> None:
    limit, errors, dtype = modes
    if sys.getrecursionlimit() != limit:
        sys.setrecursionlimit(limit)
    if errors is not None and sys.modules["numpy"].geterr() != errors:
        sys.modules["numpy"].seterr(**errors)
    if dtype is not None and sys.modules["torch"].get_default_dtype() != dtype:
        sys.modules["torch"].set_default_dtype(dtype)


def _return_to(folder: str | None) -> None:
    if folder is not None and _current_folder() != folder:
        with suppress(OSError):
            os.chdir(folder)


def raised_by(error: Exception) -> BaseException:
    """Return what the plugin raised: the cause of a `PluginError`, any other error itself."""
    while isinstance(error, PluginError) and isinstance(error.__cause__, PluginError):
        error = error.__cause__
    return error.__cause__ or error if isinstance(error, PluginError) else error


def error_sentence(error: BaseException) -> str:
    """Return an exception's type and message on one line; only the message of a HarnessError."""
    if isinstance(error, PluginError):
        return str(error)
    kind, lines = type(error).__name__, [line.strip() for line in error_text(error).splitlines()]
    words = [line for line in lines if line]
    if not words:
        return f"{kind} without a message" if isinstance(error, Exception) else kind
    return " ".join(words if isinstance(error, HarnessError) else [f"{kind}:", *words])


def error_text(error: BaseException) -> str:
    """Return an exception's own text, without the middle of a very long one.

    Its `__str__` is code of a plugin too, and may raise.
    """
    try:
        with plugin_code():
            # A secret that is cut in two is no longer recognized.
            return shortened(redact(str(error)))
    except Exception as broken:  # noqa: BLE001 - code of a plugin may raise anything
        return f"its text cannot be shown: {type(raised_by(broken)).__name__}"
