"""Choose the fastest encoder that is proved equal to sentence-transformers' `encode` on the model at hand."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np

from harness.encoders.company import embed
from harness.errors import HarnessError
from harness.models.backends import Unsuitable
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.models.backends import Encoder
    from harness.models.backends.loaded import Loaded

FASTEST_FIRST = ("packed", "batched", "plain")
"""What `auto` tries; backends of other libraries are used where they are asked for by name."""
EQUAL = 1e-6
"""Largest 1 − cosine to `encode`, in float32, at which embeddings of one length count as the same."""
_LONGEST_PROBE = 512
"""Tokens of the longest probe at most: the usual limit, and still quick where a model reads thousands."""

_PROBES = (
    "",
    "A short text.",
    "Two people are walking a dog along the beach in the rain.",
    "The tenant shall return the keys, and the landlord shall return the deposit within ten days. " * 3,
    "Ünïcode — 漢字, emoji 🙂 and numbers 3.14",
)


def choose(loaded: Loaded, requested: str) -> tuple[Encoder, tuple[str, ...]]:
    """Return the encoder asked for, or for `auto` the fastest equal one, and why faster ones were not taken.

    Raises HarnessError where the one asked for cannot serve the model.
    """
    reasons: list[str] = []
    texts = _probes(loaded) if requested != "plain" else []
    roles = {loaded.same_as(role) for role in Role} if texts else set()
    expected = {role: loaded.encode(texts, role) for role in roles}
    for embeddings in expected.values():
        if embeddings.shape[1] != loaded.dimensions:
            raise HarnessError(
                f"model {loaded.name} says that its embeddings have {loaded.dimensions} dimensions; they have"
                f" {embeddings.shape[1]}",
                hint="its folder was put together from two models, or changed by hand",
            )
    for name in FASTEST_FIRST if requested == "auto" else (requested,):
        try:
            return _proved(name, loaded, texts, expected), tuple(reasons)
        except Unsuitable as reason:
            loaded.restore_attention()
            reasons.append(f"not {name}: {reason}")
    raise HarnessError(
        f"model {loaded.name} cannot be encoded {reasons[0].removeprefix('not ')}",
        hint="--encoder auto takes the fastest that can",
    )


def _proved(name: str, loaded: Loaded, texts: list[str], expected: Mapping[Role, np.ndarray]) -> Encoder:
    """Open an encoder and compare it with `encode`; raises Unsuitable where that fails."""
    module = importlib.import_module(f"harness.models.backends.{name}")
    encoder: Encoder = module.open_encoder(loaded)
    if name == "plain":
        return encoder
    try:
        found = {role: embed(encoder, texts, loaded.dimensions, role) for role in expected}
    except Exception as error:
        # An architecture that was never tried may fail in any of its own ways; `encode` then serves.
        raise Unsuitable(f"{type(error).__name__} in a trial") from error
    off = max(largest_distance(found[role], expected[role]) for role in expected)
    if not off <= EQUAL:
        raise Unsuitable(f"its embeddings are off by 1 − cos = {off:.1e} in a trial")
    return encoder


def _probes(loaded: Loaded) -> list[str]:
    """Texts of different lengths, one of them as long as the model reads, or nearly."""
    return [*_PROBES, "word " * min(loaded.max_tokens or _LONGEST_PROBE, _LONGEST_PROBE)]


def largest_distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest ‖a − b‖² / 2‖b‖² over rows: 1 − cosine for lengths that are equal, more for others.

    0 for two zero rows, infinity where only theirs is zero, NaN where one is not finite.
    """
    off = (np.linalg.norm(ours.astype(np.float64) - theirs, axis=1) ** 2) / 2
    size = np.linalg.norm(theirs.astype(np.float64), axis=1) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(off == 0, 0.0, off / size)))
