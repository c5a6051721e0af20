"""The table of a suite's digests in a TOML file: replaced or appended, with all else as it was."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEADER = re.compile(r"[ \t]*\[.*")
"""A line that begins a table, or looks like it: what comes out is read again before it is believed."""


def with_digests(text: str, header: str, table: str, where: str) -> str:
    """Return a TOML text in which a suite's table of digests is another one; appended where there is none.

    header: that of the suite, `[suites.release]`; table: header and lines of the digests; where: the file,
    for errors. Comments stay, but for those within the table.
    Raises HarnessError where the digests are written in another way than as a table of their own.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines, keys = text.splitlines(keepends=True), (*_keys_of(header), "digests")
    written = table.replace("\n", end)
    starts = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    begins = next((number for number in starts if _keys_of(lines[number]) == keys), None)
    if begins is None:
        made = text + ("" if text.endswith("\n") else end) + end + written
    else:
        after = next((number for number in starts if number > begins), len(lines))
        # Comments above the next table belong to it.
        while after > begins + 1 and (not lines[after - 1].strip() or lines[after - 1].lstrip()[:1] == "#"):
            after -= 1
        made = "".join([*lines[:begins], written, *lines[after:]])
    if _parsed(made) != _replaced(tomllib.loads(text), keys, _at(tomllib.loads(table), keys)):
        raise HarnessError(
            f"{where}: the digests of {header} are not a table of their own, and cannot be replaced",
            hint=f"take them out of the file, and run `harness freeze {keys[-2]} --write` again",
        )
    return made


def _keys_of(header: str) -> tuple[str, ...]:
    """Return the keys of a line that begins a table; none for a line that does not."""
    keys, table = [], _parsed(header)
    while isinstance(table, dict) and table:
        key, table = next(iter(table.items()))
        keys.append(key)
    return tuple(keys)


def _parsed(text: str) -> Any:  # noqa: ANN401 - TOML
    """Return what a text holds; None where it is not TOML."""
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _at(content: Mapping[str, Any], keys: Sequence[str]) -> Any:  # noqa: ANN401 - TOML
    for key in keys:
        content = content[key]
    return content


def _replaced(content: Mapping[str, Any], keys: Sequence[str], value: object) -> dict[str, Any]:
    """Return plain tables with another value below these keys."""
    key, *below = keys
    return {**content, key: _replaced(content.get(key, {}), below, value) if below else value}
