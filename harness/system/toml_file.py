"""`harness.toml`, or `[tool.harness]` in `pyproject.toml`: what one would otherwise retype."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import CONFIG, DEPTH, check_nesting

if TYPE_CHECKING:
    from pathlib import Path


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises HarnessError that says where it cannot be read, or which limit it is over."""
    from harness.system.text_file import read_text

    text = read_text(path, CONFIG)
    _check_keys(text, path)
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own for a number of too many digits
        raise HarnessError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(path) from error
    check_nesting(content, path)
    _check_integers(content, path)
    return content


# Nothing here can be matched in two ways, and what is not closed goes on to the end: it never takes long.
_PART = r"""(?:[\w-]+|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|'[^'\n]*'?)"""
_LONG_TEXT = (
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{0,5}',
    r"'''[^']*(?:'(?!'')[^']*)*'{0,5}",
)
_TOKEN = re.compile(
    rf"{'|'.join(_LONG_TEXT)}|#[^\n]*|(?P<key>{_PART}(?:[ \t]*\.[ \t]*{_PART})*)|.", re.ASCII | re.DOTALL
)


def _check_keys(text: str, path: Path) -> None:
    """Refuse dotted keys of too many parts before they are read: tomllib takes the square of their number.

    Whatever stands between dots and outside of comments and texts of several lines may be a key.
    """
    most = DEPTH.most
    for found in _TOKEN.finditer(text):
        key = found["key"]
        if key and key.count(".") >= most:
            DEPTH.check(len(re.findall(_PART, key, re.ASCII | re.DOTALL)), path)


def _check_integers(value: Any, path: Path) -> None:  # noqa: ANN401 - TOML
    """Refuse what TOML itself does, and Python's reader does not: whole numbers beyond 64 bits."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise HarnessError(f"{path} is not TOML: it holds a whole number of more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_integers(inner, path)
