"""Attention within each text of a pack, as an attention function of transformers.

Which pack a thread is running is known by `attend_within`; with none, attention is `sdpa`'s as ever.
"""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.models.backends import UnsuitableBackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from harness.models.backends.backend_model import BackendModel

_ATTENTION = "harness_packed"


@dataclass(frozen=True, slots=True)
class EqualLengthRun:
    """Neighboring texts of one length in a pack."""

    start: int
    """Tokens before the first of them."""
    texts: int
    length: int


class _Running(threading.local):
    """The pack that this thread is running; None while it runs anything else."""

    pack: tuple[EqualLengthRun, ...] | None = None


_running = _Running()


@contextmanager
def attend_within(pack: tuple[EqualLengthRun, ...]) -> Iterator[None]:
    """Let attention in this thread be within each text of a pack."""
    _running.pack = pack
    try:
        yield
    finally:
        _running.pack = None


def equal_length_runs(lengths: Sequence[int]) -> tuple[EqualLengthRun, ...]:
    """Group neighboring texts of one length."""
    runs, start = [], 0
    for length, group in itertools.groupby(lengths):
        texts = len(list(group))
        runs.append(EqualLengthRun(start, texts, length))
        start += texts * length
    return tuple(runs)


def use_packed_attention(model: BackendModel) -> None:
    """Let the model's attention come through us; raises UnsuitableBackendError where it is computed another way."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    transformer = model.sentence_transformer.transformers_model
    if not getattr(transformer, "is_backend_compatible", lambda: False)():
        raise UnsuitableBackendError("its attention cannot be replaced")
    if model.attention not in ("sdpa", _ATTENTION):
        raise UnsuitableBackendError("its attention is not scaled_dot_product_attention")
    AttentionInterface.register(_ATTENTION, _attention)
    AttentionMaskInterface.register(_ATTENTION, _mask)
    model.set_attention(_ATTENTION)


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,  # noqa: ANN401 - transformers' signature
) -> tuple[torch.Tensor, None]:
    """Attend within each text of the running pack, or, with no pack running, as `sdpa` does.

    query, key, value: (1, heads, tokens, size). Returns (1, tokens, heads, size).
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if _running.pack is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    bias = options.pop("position_bias", None)
    parts = []
    for run in _running.pack:
        queries, keys, values = (_texts(states, run) for states in (query, key, value))
        mask = _corner(attention_mask, run.length)
        options["position_bias"] = _corner(bias, run.length)
        found, _ = sdpa_attention_forward(module, queries, keys, values, mask, **options)
        parts.append(found.reshape(1, run.texts * run.length, *found.shape[2:]))
    return torch.cat(parts, dim=1), None


def _texts(states: torch.Tensor, run: EqualLengthRun) -> torch.Tensor:
    """(1, heads, tokens, size) → (texts, heads, length, size) of a run."""
    _, heads, _, size = states.shape
    part = states[0, :, run.start : run.start + run.texts * run.length]
    return part.reshape(heads, run.texts, run.length, size).transpose(0, 1)


def _corner(matrix: torch.Tensor | None, length: int) -> torch.Tensor | None:
    """What holds among a pack's first tokens holds within any text as short: distance is all that counts."""
    return None if matrix is None else matrix[..., :length, :length]


def _mask(**asked: Any) -> torch.Tensor | None:  # noqa: ANN401 - transformers' signature
    """Make the mask of the longest text of the running pack, which is its first; else what `sdpa` makes."""
    from transformers.masking_utils import sdpa_mask

    if _running.pack is not None:
        longest = _running.pack[0].length
        asked |= {"q_length": longest, "kv_length": longest, "attention_mask": None}
        asked["allow_is_causal_skip"] = False
    mask: torch.Tensor | None = sdpa_mask(**asked)
    return mask
