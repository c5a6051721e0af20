"""Attention within each text of a pack, as an attention function of transformers.

`attend_within` sets the pack that a thread is running; without one, attention is that of `sdpa`.
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
    """Consecutive texts of one length in a pack."""

    start: int
    """Tokens of the pack before the first of them."""
    texts: int
    length: int


class _Running(threading.local):
    """The pack that this thread is running; None while it runs anything else."""

    pack: tuple[EqualLengthRun, ...] | None = None


_running = _Running()


@contextmanager
def attend_within(pack: tuple[EqualLengthRun, ...]) -> Iterator[None]:
    """Restrict attention in this thread to each text of a pack."""
    _running.pack = pack
    try:
        yield
    finally:
        _running.pack = None


def equal_length_runs(lengths: Sequence[int]) -> tuple[EqualLengthRun, ...]:
    """Group consecutive texts of one length."""
    runs, start = [], 0
    for length, group in itertools.groupby(lengths):
        texts = len(list(group))
        runs.append(EqualLengthRun(start, texts, length))
        start += texts * length
    return tuple(runs)


def use_packed_attention(model: BackendModel) -> None:
    """Replace the model's attention by ours; raises UnsuitableBackendError where that is impossible."""
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
    """Attend within each text of the running pack; without a pack, as `sdpa` does.

    query, key, value: (1, heads, tokens, size). Returns (1, tokens, heads, size).
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if _running.pack is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    bias = options.pop("position_bias", None)
    parts = []
    for run in _running.pack:
        queries, keys, values = (_cut_run(states, run) for states in (query, key, value))
        mask = _corner(attention_mask, run.length)
        options["position_bias"] = _corner(bias, run.length)
        attended, _ = sdpa_attention_forward(module, queries, keys, values, mask, **options)
        parts.append(attended.reshape(1, run.texts * run.length, *attended.shape[2:]))
    return torch.cat(parts, dim=1), None


def _cut_run(states: torch.Tensor, run: EqualLengthRun) -> torch.Tensor:
    """Cut a run out of a pack: (1, heads, tokens, size) → (texts, heads, length, size)."""
    _, heads, _, size = states.shape
    part = states[0, :, run.start : run.start + run.texts * run.length]
    return part.reshape(heads, run.texts, run.length, size).transpose(0, 1)


def _corner(matrix: torch.Tensor | None, length: int) -> torch.Tensor | None:
    """Cut a mask or bias to a text's length: it depends on distances alone, so it fits any text."""
    return None if matrix is None else matrix[..., :length, :length]


def _mask(**options: Any) -> torch.Tensor | None:  # noqa: ANN401 - transformers' signature
    """Return the mask of the longest text of the running pack, its first; without a pack, that of `sdpa`."""
    from transformers.masking_utils import sdpa_mask

    if _running.pack is not None:
        longest = _running.pack[0].length
        options |= {"q_length": longest, "kv_length": longest, "attention_mask": None}
        options["allow_is_causal_skip"] = False
    mask: torch.Tensor | None = sdpa_mask(**options)
    return mask
