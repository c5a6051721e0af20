"""Cells that are lists written as text: `["a", "b"]` of JSON, or `['a', "b"]` as pandas writes a list."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from typing import TYPE_CHECKING, Any

from harness import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.authoring import Columns

_LONGEST = 2**20
"""Maximum characters of a cell that is read as a list."""
_LIKE_A_LIST = re.compile(r"\s*\[\s*(['\"].*['\"]\s*,?\s*)?\]\s*", re.DOTALL)


def expand_lists(rows: Columns, names: Iterable[str]) -> list[Finding]:
    """Replace the cells of columns whose every cell is a list written as text by these lists.

    A blank cell beside them is an empty list. Returns findings: which columns were read so, and in which only
    some cells look like lists, so that brackets and marks are part of the texts.
    """
    found = []
    for name in names:
        cells = [cell for cell in rows[name] if not _is_blank(cell)]
        like = [cell for cell in cells if isinstance(cell, str) and _LIKE_A_LIST.fullmatch(cell)]
        if not like:
            continue
        lists = [_list_of(cell) for cell in like]
        read = [one for one in lists if one is not None]
        if len(read) == len(cells):
            rows[name] = _replaced(rows[name], iter(read))
            evidence = f"each cell of column {name!r} is a list written as text, and was read as this list"
            found.append(Finding("lists-in-cells", Severity.NOTE, evidence))
        else:
            evidence = (
                f"{len(like)} of {len(cells)} cells of column {name!r} look like lists,"
                f" {len(read)} of them are"
                "; all were read as texts, with brackets and quotation marks"
            )
            remedy = 'write each cell of the column as a list, ["a", "b"], or none'
            found.append(Finding("lists-in-some-cells", Severity.WARNING, evidence, remedy))
    return found


def _replaced(cells: Sequence[Any], lists: Iterable[list[str]]) -> list[list[str]]:
    following = iter(lists)
    return [[] if _is_blank(cell) else next(following) for cell in cells]


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _list_of(cell: str) -> list[str] | None:
    """Return the list of texts that a cell is in JSON or in Python; None for anything else."""
    if len(cell) > _LONGEST:
        return None
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = _python_list(cell.strip())
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return None
    try:
        "".join(value).encode()
    except UnicodeEncodeError:
        return None
    return value


def _python_list(cell: str) -> object:
    """Return the value of a list of Python; None for anything else, such as an array, `['a' 'b']`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that Python does not know stays as it is
            value = ast.literal_eval(cell)
        tokens = list(tokenize.generate_tokens(io.StringIO(cell).readline))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError):
        return None
    # Python joins texts that follow each other without a comma.
    texts = sum(token.type == tokenize.STRING for token in tokens)
    return value if isinstance(value, list) and len(value) == texts else None
