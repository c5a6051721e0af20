"""What a server answers: embeddings, each checked to be one of the texts that were sent."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_remote.mask import masked_error, said
from harness_remote.refusals import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


_MANY = 19
"""Digits from which a whole number is read as a float: no index has so many."""


class GarbledError(Exception):
    """An answer that is cut off or damaged on the way: another attempt may get a whole one."""


class PackingError(Exception):
    """Base64 that is no float32 numbers: the same answer in decimal numbers may be right."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Embeddings of a batch."""

    rows: np.ndarray
    """(texts, dimensions) float32, in the order of the texts."""
    model: str
    """As the server calls the model that answered; empty where it does not say."""
    packed: bool = False
    """Whether an embedding was in base64."""


def read_answer(body: bytes, count: int) -> Answer:
    """Return the embeddings of `count` texts.

    Raises GarbledError for what is not JSON, PackingError for base64 that is not float32 numbers, and
    HarnessError for other JSON that is not `count` embeddings of finite numbers, all of one length, one for
    each index.
    """
    content = _content(body)
    data = content.get("data")
    if not isinstance(data, list):
        reason = content.get("error") or content.get("message")
        names = said(", ".join(map(repr, content))) or "nothing"
        raise masked_error(f"the answer has no embeddings: {words_of(reason) or f'it has {names}'}")
    if len(data) != count:
        raise masked_error(f"the answer has {len(data)} embeddings for {count} texts")
    items = _in_order(data)
    packed = any(isinstance(item.get("embedding"), str) for item in items)
    model = content.get("model")
    rows = _stacked([_row(item) for item in items], packed=packed)
    return Answer(rows, said(model) if isinstance(model, str) else "", packed)


def _content(body: bytes) -> dict[str, Any]:
    if body.lstrip()[:1] == b"<":
        raise masked_error(
            "the answer is a web page, and not JSON",
            hint="is it the address of the API? It often ends in /v1",
        )
    try:
        content = json.loads(body, parse_int=_whole)
    except (ValueError, RecursionError):
        raise GarbledError("the answer is not JSON, or was cut off") from None
    if not isinstance(content, dict):
        raise masked_error(
            f"the answer is a JSON {type(content).__name__}, and not an object with embeddings"
        )
    return content


def _whole(digits: str) -> int | float:
    """Return a number without a point; of very many digits infinity, which no embedding may have."""
    return int(digits) if len(digits) < _MANY else float(digits)


def _in_order(data: Sequence[Any]) -> list[Any]:
    """Return items by their index; in the order in which they are where none has one."""
    if not all(isinstance(item, dict) for item in data):
        raise masked_error("the answer has embeddings that are not objects")
    indexes = [item.get("index") for item in data]
    if all(index is None for index in indexes):
        return list(data)
    seen: set[int] = set()
    for index in indexes:
        if index is None:
            raise masked_error("the answer has an embedding without an index, and others with one")
        if type(index) is not int:  # a truth value is an int too
            raise masked_error(f"the answer has an index that is not a whole number: {_shown(index)}")
        if not 0 <= index < len(data):
            raise masked_error(
                f"the answer has an index that no text has: {index}, where {len(data) - 1} is the last"
            )
        if index in seen:
            raise masked_error(f"the answer has an index twice: {index}")
        seen.add(index)
    return sorted(data, key=lambda item: int(item["index"]))


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON has it, shortened; of a list or an object only what it is."""
    return f"a {type(value).__name__}" if isinstance(value, (list, dict)) else said(json.dumps(value), 40)


def _row(item: dict[str, Any]) -> np.ndarray:
    import numpy as np

    embedding = item.get("embedding")
    if isinstance(embedding, str):
        try:
            octets = base64.b64decode(embedding, validate=True)
        except ValueError:  # also for a character that is not ASCII
            raise PackingError("the answer has an embedding that is not base64") from None
        if len(octets) % 4:
            raise PackingError("the answer has an embedding that is not of whole float32 numbers")
        return np.frombuffer(octets, dtype="<f4")
    numbers = isinstance(embedding, list) and all(type(value) in (float, int) for value in embedding)
    if not numbers:
        raise masked_error(
            "the answer has an embedding that is not a list of numbers",
            hint="one vector for each text is wanted: not several, and no null",
        )
    with np.errstate(over="ignore"):
        return np.asarray(embedding, dtype=np.float64).astype(np.float32)


def _stacked(rows: Sequence[np.ndarray], *, packed: bool) -> np.ndarray:
    import numpy as np

    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1 or not all(lengths):
        raise masked_error(f"the answer has embeddings of {' and '.join(map(str, lengths))} dimensions")
    stacked = np.stack(rows).astype(np.float32)
    if not np.isfinite(stacked).all():
        message = "the answer has an embedding that is not finite (NaN or infinity)"
        raise PackingError(message) if packed else masked_error(message)
    return stacked
