"""Choose the fastest backend that is proved equal to sentence-transformers' `encode` on the model at hand."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.models.backends import UnsuitableBackendError
from harness.models.interface import Role
from harness.system.environment import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.models.backends import Backend
    from harness.models.backends.backend_model import BackendModel


FASTEST_FIRST = ("packed", "batched", "plain")
"""Backends that `auto` tries; those of other libraries are used only where they are requested by name."""
EQUAL = 1e-6
"""Maximum 1 − cosine to `encode`, in float32, at which embeddings of one length count as the same."""
_LONGEST_PROBE = 512
"""Maximum tokens of the longest probe: the usual limit, and still quick where a model reads thousands."""

_PROBES = (
    "",
    "A short text.",
    "Two people are walking a dog along the beach in the rain.",
    "The tenant shall return the keys, and the landlord shall return the deposit within ten days. " * 3,
    "Ünïcode — 漢字, emoji 🙂 and numbers 3.14",
)


def choose(model: BackendModel, requested: str) -> tuple[Backend, tuple[str, ...]]:
    """Return the requested backend, or for `auto` the fastest equal one, and why faster ones were not taken.

    Raises HarnessError where the requested one cannot serve the model.
    """
    reasons: list[str] = []
    texts = _probes(model) if requested != "plain" else []
    roles = {model.same_as(role) for role in Role} if texts else set()
    expected = {role: model.encode(texts, role) for role in roles}
    for embeddings in expected.values():
        if embeddings.shape[1] != model.dimensions:
            raise HarnessError(
                f"model {model.name} declares {model.dimensions} dimensions, but its embeddings have"
                f" {embeddings.shape[1]}",
                hint="its folder combines the files of two models, or was edited",
            )
    for name in FASTEST_FIRST if requested == "auto" else (requested,):
        try:
            return _open_and_compare(name, model, texts, expected), tuple(reasons)
        except UnsuitableBackendError as error:
            model.restore_attention()
            reasons.append(f"not {name}: {error}")
    reason = reasons[0].removeprefix(f"not {requested}: ")
    raise HarnessError(
        f"backend {requested} cannot serve model {model.name}: {reason}",
        hint="--backend auto takes the fastest that can",
    )


def _open_and_compare(
    name: str, model: BackendModel, texts: list[str], expected: Mapping[Role, np.ndarray]
) -> Backend:
    """Open a backend and compare it with `encode`; raises UnsuitableBackendError where that fails."""
    module = importlib.import_module(f"harness.models.backends.{name}")
    backend: Backend = module.open_backend(model)
    if name == "plain":
        return backend
    try:
        ours = {role: embed(backend, texts, model.dimensions, role) for role in expected}
    except Exception as error:
        # An architecture that was never tried may fail in many ways; `encode` then serves.
        raise UnsuitableBackendError(f"{type(error).__name__} in a trial") from error
    off = max(largest_distance(ours[role], expected[role]) for role in expected)
    if not off <= EQUAL:
        raise UnsuitableBackendError(f"its embeddings are off by 1 − cos = {off:.1e} in a trial")
    return backend


def _probes(model: BackendModel) -> list[str]:
    """Return texts of different lengths, one of them as long as the model reads, or nearly."""
    return [*_PROBES, "word " * min(model.max_tokens or _LONGEST_PROBE, _LONGEST_PROBE)]


def largest_distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest ‖a − b‖² / 2‖b‖² over rows: 1 − cosine for equal lengths, more for others.

    0 for two zero rows, infinity where only theirs is zero, NaN where one is not finite.
    """
    off = (np.linalg.norm(ours.astype(np.float64) - theirs, axis=1) ** 2) / 2
    size = np.linalg.norm(theirs.astype(np.float64), axis=1) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(off == 0, 0.0, off / size)))


_INVARIANCE_TEXTS = ("a", *(f"{'word ' * n}{n}" for n in (2, 5, 9, 14, 27, 60)))
"""Texts of about 130 tokens, which are encoded alone and in one batch."""


_LONG_TEXT = "word " * 200
"""A text whose attention is computed in blocks, which may depend on the number of threads."""


def embed(backend: Backend, texts: Sequence[str], dimensions: int, role: Role = Role.TEXT) -> np.ndarray:
    """Run all batches one after another; return (n, dimensions) float32."""
    embeddings = np.empty((len(texts), dimensions), dtype=np.float32)
    for batch in backend.batches(texts, role):
        embeddings[batch.rows] = backend.run(batch)
    return embeddings


def is_batch_invariant(backend: Backend, dimensions: int) -> bool:
    """Check batch invariance: the same bits alone as with other texts, with one thread as with all.

    For a backend whose batches are not divisible, a batch gets one thread. This is a trial and not a proof
    for every shape; but a kernel that sums in another order for another shape shows in nearly every row.
    """
    counts = sorted({1, cores()} if backend.divisible else {1})
    return _is_same_with_threads(counts, lambda: _invariant_embeddings(backend, dimensions))


def is_thread_invariant(backend: Backend, dimensions: int) -> bool:
    """Check that a long text has the same bits with one thread as with all: attention is cut into blocks."""
    return _is_same_with_threads(sorted({1, cores()}), lambda: embed(backend, [_LONG_TEXT], dimensions))


def _is_same_with_threads(counts: Sequence[int], run: Callable[[], np.ndarray | None]) -> bool:
    """Check that `run` returns the same bits with each number of threads, and never None."""
    import torch

    before, expected = torch.get_num_threads(), None
    try:
        for threads in counts:
            torch.set_num_threads(threads)
            embeddings = run()
            if embeddings is None or (expected is not None and not np.array_equal(embeddings, expected)):
                return False
            expected = embeddings
    finally:
        torch.set_num_threads(before)
    return True


def _invariant_embeddings(backend: Backend, dimensions: int) -> np.ndarray | None:
    """Return the embeddings of texts that are the same alone as in a batch; None where they differ."""
    alone = np.concatenate([embed(backend, [text], dimensions) for text in _INVARIANCE_TEXTS])
    together = embed(backend, _INVARIANCE_TEXTS * 4, dimensions)
    return alone if np.array_equal(together, np.tile(alone, (4, 1))) else None
