"""Padded batches whose shape depends only on the text's own length.

Matrix kernels round differently for different shapes, so an embedding from a batch of 7 may differ in the
last bits from the same text's in a batch of 32. Here a text of a given number of tokens is always computed in
the same shape: its length is rounded up to a width, every batch of that width has the same number of rows,
and missing rows are filled with padding. Where the last rows of a product round differently, the number of
rows is a multiple of the kernel's tile (see `packed`). An embedding is then a function of the text and the
settings alone, bit for bit, and depends neither on other texts nor on tasks or earlier runs.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.models.backends import Batch, UnsuitableBackendError
from harness.models.backends.invariance import is_batch_invariant, is_thread_invariant
from harness.models.backends.plain import convert_weights
from harness.models.backends.token_counts import TokenCounts
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.models.backends.backend_model import BackendModel

_AT_ONCE = 1 << 19
"""Maximum characters of texts, each as long as the longest, whose tokens are held while they are encoded."""
TOKENS_PER_BATCH = 512
MAX_ROWS = 32
_MULTIPLES = ((1, 1), (24, 1), (24, 24), (48, 1), (48, 48), (96, 96))
"""Pairs that the tokens and the rows of a batch are multiples of, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class PaddedShape:
    """Texts that are encoded together, and the shape that they are padded to."""

    rows: list[int]
    """Positions of the texts."""
    height: int
    width: int


def width_of(tokens: int, limit: int | None = None) -> int:
    """Round a length up to the next width: in steps of 4 to 32 tokens, then of at most a quarter.

    limit: maximum tokens of the model, which no length and so no width exceeds; None if there is none.
    """
    step = max(4, 1 << max(0, (max(tokens, 1) - 1).bit_length() - 3))
    width = max(step, -(-tokens // step) * step)
    return width if limit is None else min(width, limit)


def padded_shapes(
    lengths: Sequence[int], limit: int | None = None, multiples: tuple[int, int] = (1, 1)
) -> Iterator[PaddedShape]:
    """Group texts of given token lengths into batches of fixed shape, widest first.

    The shape of a text's batch depends only on its own length, the model's limit, and `multiples`: what its
    tokens and its rows are a multiple of.
    """
    by_width: dict[int, list[int]] = defaultdict(list)
    for row, tokens in enumerate(lengths):
        by_width[width_of(tokens, limit)].append(row)
    for width in sorted(by_width, reverse=True):
        step = math.lcm(multiples[0] // math.gcd(multiples[0], width), multiples[1])
        height = -(-min(MAX_ROWS, max(1, TOKENS_PER_BATCH // width)) // step) * step
        rows = by_width[width]
        for start in range(0, len(rows), height):
            yield PaddedShape(rows[start : start + height], height, width)


class Batched:
    """Run batches of fixed shapes; raises UnsuitableBackendError where padding cannot be added."""

    name = "batched"
    divisible = True

    def __init__(self, model: BackendModel) -> None:
        check_plain_tokens(model)
        tokenizer = model.tokenizer
        if tokenizer is None or tokenizer.padding_side != "right" or tokenizer.pad_token_id is None:
            raise UnsuitableBackendError("it is not padded on the right")
        self._model, self._pad_token = model, int(tokenizer.pad_token_id)
        self._counts = TokenCounts(model)
        self.parallel = model.sentence_transformer.device.type == "cpu"
        self.multiples = _MULTIPLES[0]

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        """Yield batches of fixed shape, widest first."""
        limit = self._model.max_tokens
        tokens, features_of = self._tokenize(texts, role)
        lengths = np.minimum(tokens, limit or np.inf).astype(int)
        for shape in padded_shapes(lengths.tolist(), limit, self.multiples):
            padded = _pad(features_of(shape.rows), shape, self._pad_token)
            counted = [int(tokens[row]) for row in shape.rows]
            yield Batch(shape.rows, (padded, role), shape.height * shape.width, counted)

    def _tokenize(
        self, texts: Sequence[str], role: Role
    ) -> tuple[np.ndarray, Callable[[list[int]], dict[str, Any]]]:
        """Return the tokens of each text before any cut, and a function from positions to their features.

        In one pass for as many texts as come at once in a run. Of more, no tokens are held: a text's batch
        depends on its length, so they are counted first, and tokenized again batch by batch.
        """
        if len(texts) * max(map(len, texts), default=0) <= _AT_ONCE:
            encoded = self._model.features(texts, role)
            lengths = encoded["attention_mask"].sum(dim=1).tolist() if encoded else []
            counts = self._counts.of(encoded, lengths, role)
            if counts is not None:
                # Without what else the tokenizer returns, which is several times as large.
                features = dict(encoded)
                return np.asarray(counts, dtype=int), lambda rows: _cut_out(
                    features, rows, max(lengths[row] for row in rows)
                )
        counted = self._model.count_tokens(texts, role)
        assert counted is not None  # noqa: S101 - there is a tokenizer: see `check_plain_tokens`
        return counted, lambda rows: self._model.features([texts[row] for row in rows], role)

    def run(self, batch: Batch) -> np.ndarray:
        """Return float32 embeddings, (n, dimensions), without the rows of padding."""
        features, role = batch.features
        return self._model.forward(features, role)[: len(batch.rows)]

    def set_dtype(self, dtype: str) -> None:
        """Convert the weights."""
        convert_weights(self._model, dtype)

    def make_batch_invariant(self) -> bool:
        """Try fixed shapes until embeddings are batch-invariant; on a CPU only: a GPU promises nothing."""
        if not self.parallel:
            return False
        divisible, self.multiples = self.divisible, (_MULTIPLES[-1][0], 1)
        choices = {divisible and is_thread_invariant(self, self._model.dimensions): None, False: None}
        for self.divisible, self.multiples in itertools.product(choices, _MULTIPLES):
            if is_batch_invariant(self, self._model.dimensions):
                return True
        self.divisible, self.multiples = divisible, _MULTIPLES[0]
        return False

    def shapes(self) -> dict[str, Any]:
        """Return what `make_batch_invariant` chose."""
        return {"divisible": self.divisible, "multiples": list(self.multiples)}

    def use_shapes(self, shapes: Mapping[str, Any]) -> None:
        """Take over what `shapes` returned."""
        tokens, rows = shapes["multiples"]
        self.divisible, self.multiples = shapes["divisible"], (tokens, rows)


def check_plain_tokens(model: BackendModel) -> None:
    """Raise UnsuitableBackendError unless inputs are plain token matrices, to which tokens can be added."""
    import torch
    from sentence_transformers.base.modules import Transformer

    if not isinstance(model.sentence_transformer[0], Transformer) or model.tokenizer is None:
        raise UnsuitableBackendError("it does not begin with a transformer")
    if model.cuts_by_role:
        raise UnsuitableBackendError("queries and documents are cut at lengths of their own")
    if model.remembers_lengths:
        raise UnsuitableBackendError("its positions depend on the lengths of texts before")
    features = model.features(["a text", "and a longer text"], Role.TEXT)
    shapes = {value.shape for value in features.values() if torch.is_tensor(value)}
    if "attention_mask" not in features or shapes != {features["input_ids"].shape}:
        raise UnsuitableBackendError("its inputs are more than tokens")


def _cut_out(features: dict[str, Any], rows: list[int], longest: int) -> dict[str, Any]:
    """Return the features of some texts, without columns in which all of them are padding."""
    shape = features["input_ids"].shape
    return {
        name: value[rows, :longest] if getattr(value, "shape", None) == shape else value
        for name, value in features.items()
    }


def _pad(features: dict[str, Any], shape: PaddedShape, pad_token: int) -> dict[str, Any]:
    """Pad a batch to its fixed shape; an added row attends to one padding token, to stay finite."""
    from torch.nn.functional import pad

    rows, columns = features["input_ids"].shape
    extra = (0, max(0, shape.width - columns), 0, shape.height - rows)
    padded = dict(features)
    for name, value in features.items():
        if hasattr(value, "shape"):
            padded[name] = pad(value, extra, value=pad_token if name == "input_ids" else 0)
    padded["attention_mask"][rows:, 0] = 1
    return padded


open_backend = Batched
