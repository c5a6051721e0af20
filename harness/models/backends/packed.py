"""Packs: texts one after another in a single row of tokens, with no padding between them.

Everything in a transformer but attention looks at one token at a time, so texts of any lengths can lie in
one row; attention is computed per text, for texts of one length at a time. The model is told by what
sentence-transformers itself hands to variable-length kernels (`cu_seq_lens_q`, `seq_idx`, `position_ids`),
which its pooling reads; attention comes in through transformers' `AttentionInterface`.

Matrix kernels may round differently for different numbers of tokens. `make_batch_invariant` finds, on this
machine and model, the fewest tokens from which a text's embedding is bit for bit the same alone and in
company, and smaller packs are filled up to that. Where the last rows of a product round differently from
those before, every pack is filled to a multiple of the kernel's tile; where nothing helps, to one fixed size.
Modules behind the pooling see a row per text, and have a fewest number of texts, and a multiple, likewise.
Either way an embedding is a function of the text and the settings alone.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from harness.models.backends import Batch
from harness.models.backends.attention import attend_within, equal_length_runs, use_packed_attention
from harness.models.backends.backend_model import first_position, position_tables
from harness.models.backends.batched import check_plain_tokens
from harness.models.backends.choose import is_batch_invariant, is_thread_invariant
from harness.models.backends.plain import convert_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import Role

TOKENS_PER_PACK = 512
"""On a CPU: more are no faster, and packs this small spread evenly over workers."""
_BYTES_PER_TOKEN = 30 * 4
"""Memory that a token's activations take on a GPU at most, per hidden dimension: a generous guess."""
_TEXTS_AT_ONCE = 256
"""Texts that are tokenized together, while workers run those before."""
_SHAPES = ((32, 1), (64, 1), (128, 1), (256, 1), (48, 24), (96, 48), (192, 96))
"""Fewest tokens of a pack and what their number is a multiple of, in the order in which they are tried.

MKL's kernels for AVX2 compute 6 rows at a time, and one, two or three that are left over in another order;
every thread has a share of the rows. So 24 suits two threads, 48 four, 96 eight.
"""
_MOST_ROWS_TRIED = 64
"""Texts up to which the modules behind the pooling are tried in every number."""


class Packed:
    """Packs of at most `tokens_per_pack` tokens; raises UnsuitableBackendError for a model that cannot be packed."""

    name = "packed"
    divisible = True

    def __init__(self, model: BackendModel) -> None:
        check_plain_tokens(model)
        self._model = model
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
        """Packs, of texts of nearly one length each, shortest texts first."""
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), _TEXTS_AT_ONCE):
            rows = order[start : start + _TEXTS_AT_ONCE]
            features = self._model.features([texts[row] for row in rows], role)
            lengths = features["attention_mask"].sum(dim=1).tolist()
            for pack in packs(lengths, self.tokens_per_pack - self.min_texts):
                filled = self._padding_lengths([lengths[row] for row in pack])
                packed = _flatten(features, pack, filled, self._position)
                tokens = packed["input_ids"].shape[1]
                runs = equal_length_runs([*(lengths[row] for row in pack), *filled])
                yield Batch([rows[row] for row in pack], (packed, runs, role), tokens)

    def run(self, batch: Batch) -> np.ndarray:
        """Float32 embeddings, (n, full dimensions), without those of what was filled in."""
        features, runs, role = batch.features
        with attend_within(runs):
            return self._model.forward(features, role)[: len(batch.rows)]

    def set_dtype(self, dtype: str) -> None:
        """Convert the weights."""
        convert_weights(self._model, dtype)

    def make_batch_invariant(self) -> bool:
        """Find numbers of tokens and texts at which company does not matter, with one thread and with more.

        Where the number of threads matters, each batch gets one. On a CPU; a GPU chooses its kernels by shape,
        and embeddings there may differ in their last bits.
        """
        if not self.parallel:
            return False
        texts_matter = _min_texts(self._model) > 0
        # At a size at which products are the same with any number of threads, so that attention shows.
        self.min_tokens, self.multiple = self.tokens_per_pack, _SHAPES[-1][1]
        choices = (True, False) if is_thread_invariant(self, self._model.dimensions) else (False,)
        shapes = (*_SHAPES, (self.tokens_per_pack, 1))
        for divisible, (fewest, multiple) in itertools.product(choices, shapes):
            self.divisible, self.min_tokens, self.multiple = divisible, fewest, multiple
            self.texts_multiple = multiple if texts_matter else 1
            self.min_texts = _min_texts(self._model, self.texts_multiple)
            if is_batch_invariant(self, self._model.dimensions):
                return True
        self.divisible = True
        return False

    def _padding_lengths(self, lengths: list[int]) -> list[int]:
        """Lengths of texts of padding, none above the longest, that bring a pack to the shape of both."""
        real, longest = sum(lengths), max(1, lengths[0])
        texts = _round_up(max(self.min_texts, len(lengths)), self.texts_multiple) - len(lengths)
        while (
            missing := _round_up(max(self.min_tokens, real + texts), self.multiple) - real
        ) > texts * longest:
            texts += self.texts_multiple
        each, longer = divmod(missing, max(1, texts))
        return [each + (place < longer) for place in range(texts)]


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def packs(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Cut texts of given token lengths into packs of at most `most` tokens, each with its longest text first.

    Packs are about equally large, so that no worker is left with a last large one. A text of more tokens than
    `most` is a pack of its own.
    """
    total = sum(lengths)
    even = total / max(1, -(-total // most))
    pack: list[int] = []
    tokens = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if pack and (tokens >= even or tokens + lengths[row] > most):
            yield pack
            pack, tokens = [], 0
        pack.append(row)
        tokens += lengths[row]
    if pack:
        yield pack


def _flatten(features: dict[str, Any], rows: list[int], filled: list[int], first: int) -> dict[str, Any]:
    """Lay the tokens of some rows one after another, with texts of padding behind them."""
    import torch

    chosen = torch.tensor(rows)
    real = features["attention_mask"][chosen].bool()
    lengths = torch.cat([real.sum(dim=1), torch.tensor(filled, dtype=torch.long)])
    ends = lengths.cumsum(dim=0)
    texts = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    positions = torch.arange(int(ends[-1])) - (ends - lengths)[texts]
    flat = {
        "cu_seq_lens_q": torch.cat([torch.zeros(1, dtype=torch.long), ends]).int(),
        "seq_idx": texts[None],
        "position_ids": (positions + first)[None],
    }
    padding = torch.zeros(sum(filled), dtype=torch.long)
    for name, value in features.items():
        if name == "attention_mask":
            continue
        is_tokens = torch.is_tensor(value) and value.shape == features["input_ids"].shape
        flat[name] = torch.cat([value[chosen][real], padding])[None] if is_tokens else value
    return flat


def _tokens_that_fit(model: BackendModel) -> int:
    """Tokens for which half of a GPU's free memory is enough; a few thousand where that is not told."""
    import torch

    if model.sentence_transformer.device.type != "cuda":
        return 8 * TOKENS_PER_PACK
    free, _ = torch.cuda.mem_get_info(model.sentence_transformer.device)
    return int(min(2**16, max(TOKENS_PER_PACK, free / 2 / (_BYTES_PER_TOKEN * model.dimensions))))


def _min_texts(model: BackendModel, multiple: int = 1) -> int:
    """Fewest texts from which the modules behind the pooling give one the same bits; 0 if any number does.

    Numbers of texts are multiples of `multiple`.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling

    modules = list(model.sentence_transformer)
    pooling = next((place for place, module in enumerate(modules) if isinstance(module, Pooling)), None)
    if pooling is None or pooling + 1 == len(modules):
        return 0
    width = modules[pooling].get_embedding_dimension()  # type: ignore[operator] # a module's attribute, to mypy
    count = _round_up(4 * _MOST_ROWS_TRIED, multiple)
    rows = torch.randn(count, width, generator=torch.Generator().manual_seed(0))
    rows = rows.to(model.dtype)

    def behind(rows: torch.Tensor) -> torch.Tensor:
        features: Any = {"sentence_embedding": rows}
        for module in modules[pooling + 1 :]:
            features = module(features)
        embeddings: torch.Tensor = features["sentence_embedding"]
        return embeddings

    with torch.inference_mode():
        whole = behind(rows)
        tried = range(multiple, _MOST_ROWS_TRIED + 1, multiple)
        differing = [count for count in tried if not torch.equal(behind(rows[:count]), whole[:count])]
    return max(differing) + 1 if differing else 0


open_backend = Packed
