"""The card (README.md) of a copy of a hub's repository: what it says of the files beside it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import CARD
from harness.system.text_file import read_text

if TYPE_CHECKING:
    from pathlib import Path

_LEVELS = 3
"""Folders above a file in which a card is looked for: `data/CONFIG/test.parquet` is the deepest."""
_READING = {
    "sep": "delimiter",
    "delimiter": "delimiter",
    "names": "header",
    "column_names": "header",
    "header": "header",
    "quoting": "quoting",
}
"""Keys of a card by which `datasets` reads delimited files → those of a task file."""


def card_folders(path: Path) -> list[Path]:
    """Return the folders in which the card of a file may be, the nearest first."""
    return list(path.absolute().parents)[:_LEVELS]


def card_of(path: Path) -> dict[str, Any]:
    """Return the front matter of the nearest card of a file; nothing where there is none that can be read."""
    cards = (folder / "README.md" for folder in card_folders(path))
    card = next((file for file in cards if file.is_file()), None)
    if card is None:
        return {}
    state = card.stat()
    return _front_matter(card, (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=8)
def _front_matter(card: Path, state: tuple[int, int]) -> dict[str, Any]:  # noqa: ARG001 - a changed card is read again
    """Return a card's front matter; once for all shards of a dataset."""
    from harness.system.front_matter import cut_front_matter

    try:
        return cut_front_matter(read_text(card, CARD), str(card))[0]
    except HarnessError:
        return {}  # any README may be beside a file


def with_card(error: HarnessError, path: Path) -> HarnessError:
    """Return an error of reading a delimited file, with what the card says of how to read it, if it does."""
    configs = card_of(path).get("configs")
    for config in configs if isinstance(configs, list) else ():
        given = {key: config[key] for key in _READING if key in config} if isinstance(config, dict) else {}
        if given:
            said = ", ".join(f"{key}: {_shown(value)}" for key, value in given.items())
            keys = " and ".join(dict.fromkeys(_READING[key] for key in given))
            hint = f"the card says how to read its files ({said}), and is not heeded: say it with {keys}"
            hint = "; ".join(filter(None, (f"{hint} in a task file", error.hint)))
            return HarnessError(error.message, exists=error.exists, hint=hint)
    return error


def _shown(value: object) -> str:
    """Return a plain value for a sentence; anything deeper, which a stranger wrote, is not followed."""
    flat = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return (
        json.dumps(value, ensure_ascii=False, default=str)[:200]
        if flat or not isinstance(value, list | dict)
        else "…"
    )
