"""Lower precision: set it, and measure how far embeddings of the fixed workload move from float32."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.models.backends import UnsuitableBackendError
from harness.models.backends.trial import EQUAL, Trial, embed
from harness.models.interface import Deviation
from harness.models.workload import workload

if TYPE_CHECKING:
    from harness.models.backends import Backend
    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import Settings

TOLERANCE = 1e-3
"""Maximum 1 − cosine to float32 at which a lower precision is accepted without `--allow-deviation`.

bfloat16 moves all-MiniLM-L6-v2 by about 1e-4, int8 by 3e-2 and more; metrics may *rise* with either.
"""
_NEIGHBORS = 10


def set_precision(backend: Backend, model: BackendModel, settings: Settings) -> Deviation | None:
    """Set the settings' dtype, and return how far that moved embeddings; None for float32.

    Raises HarnessError where the backend does not support the dtype, or where embeddings move by more than
    `TOLERANCE` and that was not allowed.
    """
    if settings.dtype == "float32":
        return None
    texts = workload()
    exact = embed(backend, texts, model.dimensions)
    try:
        backend.set_dtype(settings.dtype)
    except UnsuitableBackendError as reason:
        impossible = f"--dtype {settings.dtype} is not possible with backend {backend.name}: {reason}"
        raise HarnessError(impossible) from None
    moved = deviation(exact, embed(backend, texts, model.dimensions))
    _check_tolerance(moved, model, settings)
    return moved


def confirm(
    backend: Backend, model: BackendModel, settings: Settings, trial: Trial, measured: Deviation | None
) -> Deviation | None:
    """Hold a backend against the trial again, in the shapes and the precision that it will run in.

    measured: what `set_precision` returned. Returns it with the trial's texts in `largest`; None for float32.
    Raises HarnessError where float32 is not equal to the public methods, and as `set_precision` does.
    """
    if measured is not None:
        largest = max(measured.largest, _two_digits(trial.deviation(backend)))
        measured = replace(measured, largest=largest)
        _check_tolerance(measured, model, settings)
    elif backend.name != "plain" and not (off := trial.distance(backend)) <= EQUAL:
        raise HarnessError(
            f"backend {backend.name} of model {model.name} is off by 1 − cos = {off:.1e} in batch-invariant"
            " shapes",
            hint="--backend plain takes sentence-transformers' own encode",
        )
    return measured


def _check_tolerance(moved: Deviation, model: BackendModel, settings: Settings) -> None:
    if moved.largest <= TOLERANCE or settings.allow_deviation:
        return
    raise HarnessError(
        f"model {model.name} in {settings.dtype} moves embeddings by up to"
        f" 1 − cos = {moved.largest:.1e}: more than {TOLERANCE:g}",
        exists=f"over {moved.texts} texts: 99th percentile {moved.p99:.1e},"
        f" {moved.neighbors:.0%} of the {_NEIGHBORS} nearest neighbors kept",
        hint="--allow-deviation accepts it, and the record says so; a higher metric does not justify it",
    )


def deviation(
    exact: np.ndarray, moved: np.ndarray, similarities: tuple[np.ndarray, np.ndarray] | None = None
) -> Deviation:
    """Compare embeddings of the same texts in two precisions, (n, dimensions) each, n > 1.

    similarities: of the texts with each other in both, (n, n), which say who is near; None for the cosine.
    Embeddings that are not finite deviate by 2, the maximum. Figures have two digits.
    """
    away = np.nan_to_num(1 - (_unit(exact) * _unit(moved)).sum(axis=1), nan=2.0).clip(0, 2)
    before, after = map(_nearest, similarities or (_cosine(exact), _cosine(moved)))
    kept = [len(set(a) & set(b)) for a, b in zip(before, after, strict=True)]
    return Deviation(
        texts=len(exact),
        largest=_two_digits(away.max()),
        p99=_two_digits(np.quantile(away, 0.99)),
        neighbors=round(sum(kept) / max(1, sum(len(row) for row in before)), 3),
    )


def _cosine(embeddings: np.ndarray) -> np.ndarray:
    unit = _unit(embeddings)
    similarity: np.ndarray = unit @ unit.T
    return similarity


def _nearest(similarity: np.ndarray) -> list[list[int]]:
    """Return the nearest other texts of each text, given (n, n) similarities; ties by position."""
    others = similarity.copy()
    np.fill_diagonal(others, -np.inf)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, : min(_NEIGHBORS, len(others) - 1)]
    rows: list[list[int]] = nearest.tolist()
    return rows


def _unit(embeddings: np.ndarray) -> np.ndarray:
    wide = embeddings.astype(np.float64)
    unit: np.ndarray = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-30)
    return unit


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")
