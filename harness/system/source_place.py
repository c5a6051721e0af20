"""Where code of a plugin stands, as `FILE, line N`: the place that a person has to mend."""

from __future__ import annotations

import importlib
import inspect
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

_INSTALLED = ("site-packages", "dist-packages")
"""Folders of libraries: what lies below one is not part of a plugin that lies beside it."""

_MACHINERY = tuple(
    os.path.dirname(path) + os.sep  # noqa: PTH120 - as the frames of a traceback have it
    for path in (importlib.__file__, os.path.dirname(__file__))  # noqa: PTH120
)
"""Folders of importlib and of harness."""

_BACKPORT = f"{os.sep}importlib_metadata{os.sep}"
"""Part of importlib too: where it is installed, entry points of distributions load through it."""


def place_of(thing: Any) -> str:  # noqa: ANN401 - a function, a class, or an instance of one
    """Return where a function or a class is defined; of any other object, where its class is.

    Empty where that is unknown: for built-in and generated code, and for what cannot be asked.
    """
    try:
        target = thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
        target = inspect.unwrap(target) if inspect.isroutine(target) else target
        if code := getattr(target, "__code__", None):
            return _written(code.co_filename, code.co_firstlineno)
        file = inspect.getsourcefile(target)
        return _written(file, inspect.getsourcelines(target)[1]) if file else ""
    except Exception:  # noqa: BLE001 - code of a plugin may answer anything
        return ""


def file_of(thing: Any) -> str:  # noqa: ANN401 - a module, a function or a class
    """Return the file in which a module, a function or a class is written; empty where that is unknown."""
    try:
        return inspect.getsourcefile(inspect.unwrap(thing) if inspect.isroutine(thing) else thing) or ""
    except Exception:  # noqa: BLE001 - as above
        return ""


def place_of_error(error: BaseException, file: str) -> str:
    """Return the innermost place of an error in a plugin's own code; empty where it has no part in it.

    file: a file of the plugin; those next to it and below its folder are its own too. A syntax error is
    where it was found.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return _written(error.filename, error.lineno)
    place, trace = "", error.__traceback__
    while trace is not None:
        frame: TracebackType = trace
        name = frame.tb_frame.f_code.co_filename
        if is_own(name, file):
            place = _written(name, frame.tb_lineno)
        trace = trace.tb_next
    return place


def innermost_file(error: BaseException) -> str:
    """Return the file of an error's innermost frame that is neither of Python's import machinery nor ours."""
    file, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        file = file if name.startswith(("<", *_MACHINERY)) or _BACKPORT in name else name
        trace = trace.tb_next
    return file


def is_own(name: str, file: str) -> bool:
    """Whether a file belongs to the plugin that another file is of: it is that file, next to it or below."""
    if name == file:
        return True
    folder = os.path.dirname(file)  # noqa: PTH120 - for each frame of a traceback
    if not folder or os.path.basename(folder) in _INSTALLED:  # noqa: PTH119
        return False
    inner = name.removeprefix(folder + os.sep)
    return inner != name and not any(f"{library}{os.sep}" in inner for library in _INSTALLED)


def _written(file: str, line: int) -> str:
    return f"{file}, line {line}"
