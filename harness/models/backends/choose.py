"""Choose the fastest backend that is proved equal to sentence-transformers' public methods on a model."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.backends import UnsuitableBackendError
from harness.models.backends.trial import EQUAL, Trial, try_model

if TYPE_CHECKING:
    from harness.models.backends import Backend
    from harness.models.backends.backend_model import BackendModel

FASTEST_FIRST = ("packed", "batched", "plain")
"""Backends that `auto` tries; those of other libraries are used only where they are requested by name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend that was proved on a model, on its device, in float32."""

    backend: Backend
    notes: tuple[str, ...]
    """Why faster ones were not taken."""
    trial: Trial
    """What it was held against."""


def choose(model: BackendModel, requested: str) -> Choice:
    """Return the requested backend, or for `auto` the fastest that is equal to the public methods.

    Raises HarnessError where the requested one cannot serve the model, and where the model's own embedding
    of a text alone is not the same twice.
    """
    reasons: list[str] = []
    trial = try_model(model)
    for name in FASTEST_FIRST if requested == "auto" else (requested,):
        try:
            return Choice(_open_and_compare(name, model, trial), tuple(reasons), trial)
        except UnsuitableBackendError as error:
            model.restore_attention()
            reasons.append(f"not {name}: {error}")
    reason = reasons[0].removeprefix(f"not {requested}: ")
    raise HarnessError(
        f"backend {requested} cannot serve model {model.name}: {reason}",
        hint="--backend auto takes the fastest that can",
    )


def _open_and_compare(name: str, model: BackendModel, trial: Trial) -> Backend:
    """Open a backend and compare it with a trial; raises UnsuitableBackendError where that fails."""
    module = importlib.import_module(f"harness.models.backends.{name}")
    backend: Backend = module.open_backend(model)
    if name == "plain":
        _check_repeatable(backend, model, trial)
        return backend
    try:
        off = trial.distance(backend)
    except Exception as error:
        # An architecture that was never tried may fail in many ways; `encode` then serves.
        raise UnsuitableBackendError(f"{type(error).__name__} in a trial") from error
    if not off <= EQUAL:
        blame = "; the model's own encode depends on its batch" if trial.depends_on_batch else ""
        raise UnsuitableBackendError(f"its embeddings are off by 1 − cos = {off:.1e} in a trial{blame}")
    return backend


def _check_repeatable(plain: Backend, model: BackendModel, trial: Trial) -> None:
    """Raise HarnessError where a text that is encoded alone gets another embedding the second time."""
    if not trial.depends_on_batch:
        return
    off = trial.distance(plain)
    if not off <= EQUAL:
        raise HarnessError(
            f"model {model.name} gives one text several embeddings: its own encode depends on its batch,"
            f" and a text alone is off by 1 − cos = {off:.1e} the second time",
            hint="it is random, or depends on what it encoded before: no score of it could be repeated",
        )
