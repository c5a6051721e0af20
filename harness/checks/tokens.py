"""Count the tokens of texts with a model's tokenizer alone."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

_UNKNOWN = ("[UNK]", "<unk>", "<UNK>")
"""Names of the unknown token, for tokenizers that do not say which of their tokens it is."""


def token_counter(folder: Path | None) -> Callable[[Sequence[str]], list[tuple[int, int]]] | None:
    """Return a function that counts the tokens of each text, and the unknown ones among them.

    Special tokens such as `[CLS]` do not count. None where the folder has no `tokenizer.json`; the function
    raises whatever the library raises for a file that is broken.
    """
    file = None if folder is None else next(filter(_is_file, _places(folder)), None)
    if file is None:
        return None
    load = functools.cache(_load)

    def count(texts: Sequence[str]) -> list[tuple[int, int]]:
        tokenizer, unknown = load(file)
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [(len(one.ids), sum(token == unknown for token in one.ids)) for one in encoded]

    return count


def _places(folder: Path) -> tuple[Path, Path]:
    return folder / "tokenizer.json", folder / "0_Transformer" / "tokenizer.json"


def _is_file(path: Path) -> bool:
    return path.is_file()


def _load(file: Path) -> tuple[Tokenizer, int | None]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    named = getattr(tokenizer.model, "unk_token", None)
    ids = (tokenizer.token_to_id(name) for name in (named, *_UNKNOWN) if name)
    return tokenizer, next((number for number in ids if number is not None), None)
