"""What a server answers: embeddings, each checked to be one of the texts that were sent."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class GarbledError(Exception):
    """An answer that is cut off or damaged on the way: another attempt may get a whole one."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Embeddings of a batch."""

    rows: np.ndarray
    """(texts, dimensions) float32, in the order of the texts."""
    model: str
    """As the server calls the model that answered; empty where it does not say."""


def read_answer(body: bytes, count: int) -> Answer:
    """Return the embeddings of `count` texts.

    Raises GarbledError for what is not JSON, and HarnessError for JSON that is not `count` embeddings of
    finite numbers, all of one length, one for each index.
    """
    content = _content(body)
    data = content.get("data")
    if not isinstance(data, list):
        said = (
            content.get("error")
            or content.get("message")
            or f"it has {', '.join(map(repr, content)) or 'nothing'}"
        )
        raise HarnessError(f"the answer has no embeddings: {str(said)[:300]}")
    if len(data) != count:
        raise HarnessError(f"the answer has {len(data)} embeddings for {count} texts")
    rows = [_row(item) for item in _in_order(data)]
    model = content.get("model")
    return Answer(_stacked(rows), model if isinstance(model, str) else "")


def _content(body: bytes) -> dict[str, Any]:
    if body.lstrip()[:1] == b"<":
        raise HarnessError(
            "the answer is a web page, and not JSON",
            hint="is it the address of the API? It often ends in /v1",
        )
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise GarbledError("the answer is not JSON, or was cut off") from error
    if not isinstance(content, dict):
        raise HarnessError(
            f"the answer is a JSON {type(content).__name__}, and not an object with embeddings"
        )
    return content


def _in_order(data: Sequence[Any]) -> list[Any]:
    """Return items by their index; in the order in which they are where none has one."""
    if not all(isinstance(item, dict) for item in data):
        raise HarnessError("the answer has embeddings that are not objects")
    indexes = [item.get("index") for item in data]
    if all(index is None for index in indexes):
        return list(data)
    if not all(isinstance(index, int) for index in indexes) or sorted(indexes) != list(range(len(data))):
        raise HarnessError("the answer has an index twice, or one that no text has")
    return sorted(data, key=lambda item: int(item["index"]))


def _row(item: dict[str, Any]) -> np.ndarray:
    import numpy as np

    embedding = item.get("embedding")
    if isinstance(embedding, str):
        try:
            octets = base64.b64decode(embedding, validate=True)
        except binascii.Error as error:
            raise HarnessError("the answer has an embedding that is not base64") from error
        if len(octets) % 4:
            raise HarnessError("the answer has an embedding that is not of whole float32 numbers")
        return np.frombuffer(octets, dtype="<f4")
    numbers = isinstance(embedding, list) and all(type(value) in (float, int) for value in embedding)
    if not numbers:
        raise HarnessError(
            "the answer has an embedding that is not a list of numbers",
            hint="one vector for each text is wanted: not several, and no null",
        )
    with np.errstate(over="ignore"):
        return np.asarray(embedding, dtype=np.float64).astype(np.float32)


def _stacked(rows: Sequence[np.ndarray]) -> np.ndarray:
    import numpy as np

    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1 or not all(lengths):
        raise HarnessError(f"the answer has embeddings of {' and '.join(map(str, lengths))} dimensions")
    stacked = np.stack(rows).astype(np.float32)
    if not np.isfinite(stacked).all():
        raise HarnessError("the answer has an embedding that is not finite (NaN or infinity)")
    return stacked
