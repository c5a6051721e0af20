"""Packs: texts one after another in a single row of tokens, with no padding between them.

Everything in a transformer but attention looks at one token at a time, so texts of any lengths can share one
row; attention is computed per text, for texts of one length at a time. The model gets the boundaries of texts
as sentence-transformers itself passes them to variable-length kernels (`cu_seq_lens_q`, `seq_idx`,
`position_ids`), which its pooling reads; attention is replaced through transformers' `AttentionInterface`.

Matrix kernels may round differently for different numbers of tokens. `make_batch_invariant` finds, on this
machine and model, the minimum of tokens from which a text's embedding is bit for bit the same alone and with
other texts, and smaller packs are filled up to that. Where the last rows of a product round differently from
those before, every pack is filled to a multiple of the kernel's tile; where nothing helps, to one fixed size.
Modules after the pooling see a row per text, and have a minimum number of texts, and a multiple, likewise.
Either way an embedding is a function of the text and the settings alone.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from harness.models.backends import Batch
from harness.models.backends.attention import attend_within, equal_length_runs, use_packed_attention
from harness.models.backends.backend_model import first_position, position_tables
from harness.models.backends.batched import check_plain_tokens
from harness.models.backends.invariance import is_batch_invariant, is_thread_invariant
from harness.models.backends.plain import convert_weights
from harness.models.backends.token_counts import TokenCounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import Role

TOKENS_PER_PACK = 512
"""Maximum tokens of a pack on a CPU: more are not faster, and packs this small spread evenly over workers."""
_BYTES_PER_TOKEN = 30 * 4
"""Maximum bytes of a token's activations on a GPU, per hidden dimension: a generous guess."""
_TEXTS_AT_ONCE = 256
"""Texts that are tokenized together, while workers run the previous ones."""
_SHAPES = ((32, 1), (64, 1), (128, 1), (256, 1), (48, 24), (96, 48), (192, 96))
"""Minimum tokens of a pack, and what their number is a multiple of, in the order in which they are tried.

MKL's kernels for AVX2 compute 6 rows at a time, and the one, two or three left over in another order; each
thread has a share of the rows. So 24 suits two threads, 48 four, 96 eight.
"""
_CHOSEN = ("divisible", "min_tokens", "multiple", "min_texts", "texts_multiple", "tokens_per_pack")
"""What shapes consist of."""
_MAX_TEXTS_TRIED = 64
"""Maximum number of texts up to which the modules after the pooling are tried in every number."""


class Packed:
    """Run packs of up to `tokens_per_pack` tokens; raises UnsuitableBackendError if packing is impossible."""

    name = "packed"
    divisible = True

    def __init__(self, model: BackendModel) -> None:
        check_plain_tokens(model)
        self._model, self._counts = model, TokenCounts(model)
        self._position = max(
            (first_position(table) for table in position_tables(model.sentence_transformer)), default=0
        )
        self.parallel = model.sentence_transformer.device.type == "cpu"
        self.tokens_per_pack = TOKENS_PER_PACK if self.parallel else _tokens_that_fit(model)
        self.min_tokens = self.multiple = 1
        self.min_texts = 0
        self.texts_multiple = 1
        use_packed_attention(model)

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        """Yield packs of texts of nearly one length each, shortest texts first."""
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), _TEXTS_AT_ONCE):
            rows = order[start : start + _TEXTS_AT_ONCE]
            features = self._model.features([texts[row] for row in rows], role)
            lengths = features["attention_mask"].sum(dim=1).tolist()
            counts = self._counts.of(features, lengths, role)
            for pack in packs(lengths, self.tokens_per_pack - self.min_texts):
                padding = self._padding_lengths([lengths[row] for row in pack])
                packed = _flatten(features, pack, padding, self._position)
                tokens = packed["input_ids"].shape[1]
                runs = equal_length_runs([*(lengths[row] for row in pack), *padding])
                counted = None if counts is None else [counts[row] for row in pack]
                yield Batch([rows[row] for row in pack], (packed, runs, role), tokens, counted)

    def run(self, batch: Batch) -> np.ndarray:
        """Return float32 embeddings, (n, dimensions), without those of padding texts."""
        features, runs, role = batch.features
        with attend_within(runs):
            return self._model.forward(features, role)[: len(batch.rows)]

    def set_dtype(self, dtype: str) -> None:
        """Convert the weights."""
        convert_weights(self._model, dtype)

    def make_batch_invariant(self) -> bool:
        """Find numbers of tokens and texts that make embeddings batch-invariant, with any number of threads.

        Where the number of threads matters, each batch gets one. On a CPU; a GPU chooses its kernels by
        shape, and embeddings there may differ in their last bits.
        """
        if not self.parallel:
            return False
        texts_matter = _min_texts(self._model) > 0
        # At a size at which products are the same with any number of threads, so that attention shows.
        self.min_tokens, self.multiple = self.tokens_per_pack, _SHAPES[-1][1]
        choices = (True, False) if is_thread_invariant(self, self._model.dimensions) else (False,)
        shapes = (*_SHAPES, (self.tokens_per_pack, 1))
        for divisible, (minimum, multiple) in itertools.product(choices, shapes):
            self.divisible, self.min_tokens, self.multiple = divisible, minimum, multiple
            self.texts_multiple = multiple if texts_matter else 1
            self.min_texts = _min_texts(self._model, self.texts_multiple)
            if is_batch_invariant(self, self._model.dimensions):
                return True
        self.divisible = True
        return False

    def shapes(self) -> dict[str, Any]:
        """Return what `make_batch_invariant` chose."""
        return {name: getattr(self, name) for name in _CHOSEN}

    def use_shapes(self, shapes: Mapping[str, Any]) -> None:
        """Take over what `shapes` returned."""
        for name in _CHOSEN:
            setattr(self, name, shapes[name])

    def _padding_lengths(self, lengths: list[int]) -> list[int]:
        """Return lengths of padding texts, none above the longest text, that fill a pack to its shape."""
        real, longest = sum(lengths), max(1, lengths[0])
        texts = _round_up(max(self.min_texts, len(lengths)), self.texts_multiple) - len(lengths)
        while (
            missing := _round_up(max(self.min_tokens, real + texts), self.multiple) - real
        ) > texts * longest:
            texts += self.texts_multiple
        each, longer = divmod(missing, max(1, texts))
        return [each + (position < longer) for position in range(texts)]


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def packs(lengths: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Cut texts of given token lengths into packs of up to `limit` tokens, the longest text first in each.

    Packs are about equally large, so that the last one does not keep one worker busy alone. A text of more
    tokens than `limit` is a pack of its own.
    """
    total = sum(lengths)
    even = total / max(1, -(-total // limit))
    pack: list[int] = []
    tokens = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if pack and (tokens >= even or tokens + lengths[row] > limit):
            yield pack
            pack, tokens = [], 0
        pack.append(row)
        tokens += lengths[row]
    if pack:
        yield pack


def _flatten(features: dict[str, Any], rows: list[int], padding: list[int], first: int) -> dict[str, Any]:
    """Concatenate the tokens of some rows, followed by texts of padding."""
    import torch

    chosen = torch.tensor(rows)
    real = features["attention_mask"][chosen].bool()
    lengths = torch.cat([real.sum(dim=1), torch.tensor(padding, dtype=torch.long)])
    ends = lengths.cumsum(dim=0)
    texts = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    positions = torch.arange(int(ends[-1])) - (ends - lengths)[texts]
    flat = {
        "cu_seq_lens_q": torch.cat([torch.zeros(1, dtype=torch.long), ends]).int(),
        "seq_idx": texts[None],
        "position_ids": (positions + first)[None],
    }
    filler = torch.zeros(sum(padding), dtype=torch.long)
    for name, value in features.items():
        if name == "attention_mask":
            continue
        is_tokens = torch.is_tensor(value) and value.shape == features["input_ids"].shape
        flat[name] = torch.cat([value[chosen][real], filler])[None] if is_tokens else value
    return flat


def _tokens_that_fit(model: BackendModel) -> int:
    """Return how many tokens fit into half of a GPU's free memory; a few thousand where that is unknown."""
    import torch

    if model.sentence_transformer.device.type != "cuda":
        return 8 * TOKENS_PER_PACK
    free, _ = torch.cuda.mem_get_info(model.sentence_transformer.device)
    return int(min(2**16, max(TOKENS_PER_PACK, free / 2 / (_BYTES_PER_TOKEN * model.dimensions))))


def _min_texts(model: BackendModel, multiple: int = 1) -> int:
    """Return the number of texts from which modules after the pooling are batch-invariant; 0 for any.

    Numbers of texts are multiples of `multiple`.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling

    modules = list(model.sentence_transformer)
    pooling = next((position for position, module in enumerate(modules) if isinstance(module, Pooling)), None)
    if pooling is None or pooling + 1 == len(modules):
        return 0
    width = modules[pooling].get_embedding_dimension()  # type: ignore[operator] # a module's attribute, to mypy
    count = _round_up(4 * _MAX_TEXTS_TRIED, multiple)
    rows = torch.randn(count, width, generator=torch.Generator().manual_seed(0))
    rows = rows.to(model.dtype)

    def run_modules(rows: torch.Tensor) -> torch.Tensor:
        features: Any = {"sentence_embedding": rows}
        for module in modules[pooling + 1 :]:
            features = module(features)
        embeddings: torch.Tensor = features["sentence_embedding"]
        return embeddings

    with torch.inference_mode():
        whole = run_modules(rows)
        tried = range(multiple, _MAX_TEXTS_TRIED + 1, multiple)
        differing = [count for count in tried if not torch.equal(run_modules(rows[:count]), whole[:count])]
    return max(differing) + 1 if differing else 0


open_backend = Packed
