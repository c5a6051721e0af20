"""A card's hyperparameters: how long, how fast, in what order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.training.cards.markdown import below, settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.training.cards.markdown import Section

_LARGEST = 1e12
"""No hyperparameter is larger; what a card says beyond it would only overflow later."""

_SAMPLERS = {
    "batch_sampler": "default",
    "no_duplicates": "no-duplicates",
    "no_duplicates_hashed": "no-duplicates",
    "group_by_label": "group-by-label",
}
"""The library's names of batch samplers → ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters that matter, in our words; None where the card does not say."""

    size: int | None
    batch_size: int | None
    batch_sampler: str | None
    epochs: float | None
    steps: int | None
    max_steps: int | None
    per_epoch: int | None
    """Optimiser steps in an epoch on one device."""
    schedule: str | None
    learning_rate: float | None
    warmup: float | None
    weight_decay: float | None
    max_grad_norm: float | None
    seed: int | None
    dtype: str | None
    keeps_best: bool | None


def hyperparameters(cut: Sequence[Section], where: str) -> dict[str, str]:
    """Return every hyperparameter by the library's name, as text.

    The card lists those that are no defaults, then all. Raises HarnessError where one has two values.
    """
    found: dict[str, str] = {}
    for part in below(cut, "Training Hyperparameters", "Non-Default Hyperparameters", "All Hyperparameters"):
        for name, value in settings(part.text):
            if found.setdefault(name, value) != value:
                raise HarnessError(
                    f"{where} contradicts itself: {name} is {found[name]} and {value}",
                    hint="it stands under Non-Default Hyperparameters and under All Hyperparameters",
                )
    return {name: value.strip() for name, value in found.items() if value.strip() not in ("None", "")}


def read_plan(given: Mapping[str, str], sizes: Sequence[int | None], where: str) -> Hyperparameters:
    """Put hyperparameters in our words, and count the steps that they make of rows.

    sizes: rows of each training dataset. Raises HarnessError for a value that is no number, but should be.
    """
    device_batch = _whole(given, "per_device_train_batch_size", where, least=1)
    accumulated = _whole(given, "gradient_accumulation_steps", where, least=1) or 1
    per_epoch = _steps_per_epoch(given, sizes, device_batch, accumulated)
    limit = _whole(given, "max_steps", where)
    max_steps = limit if limit is not None and limit > 0 else None
    epochs = _number(given, "num_train_epochs", where)
    if max_steps is not None:
        epochs = max_steps / per_epoch if per_epoch else None
    planned = math.ceil(per_epoch * epochs) if per_epoch and epochs is not None else None
    return Hyperparameters(
        size=sum(size or 0 for size in sizes) or None,
        batch_size=device_batch * accumulated if device_batch else None,
        batch_sampler=_SAMPLERS.get(given.get("batch_sampler", "").rpartition(".")[2].lower()),
        epochs=epochs,
        steps=max_steps or planned,
        max_steps=max_steps,
        per_epoch=per_epoch,
        schedule=given["lr_scheduler_type"].rpartition(".")[2].lower()
        if "lr_scheduler_type" in given
        else None,
        learning_rate=_number(given, "learning_rate", where),
        warmup=_warmup(given, where),
        weight_decay=_number(given, "weight_decay", where),
        max_grad_norm=_number(given, "max_grad_norm", where),
        seed=_whole(given, "seed", where),
        dtype=_dtype(given),
        keeps_best=_switch(given, "load_best_model_at_end"),
    )


def _steps_per_epoch(
    given: Mapping[str, str], sizes: Sequence[int | None], batch: int | None, accumulated: int
) -> int | None:
    """Count as the trainer does on one device: whole batches of each dataset, then steps of several."""
    if not batch or not sizes or not all(sizes):
        return None
    cut = math.floor if _switch(given, "dataloader_drop_last") else math.ceil
    batches = [cut((size or 0) / batch) for size in sizes]
    # Round robin ends with the smallest dataset.
    in_turn = given.get("multi_dataset_batch_sampler", "").rpartition(".")[2].lower() == "round_robin"
    return max(1, math.ceil((min(batches) * len(batches) if in_turn else sum(batches)) / accumulated))


def _warmup(given: Mapping[str, str], where: str) -> float | None:
    """Steps go before a share, as in the trainer; since 6 a share may stand where steps do."""
    steps, share = _number(given, "warmup_steps", where), _number(given, "warmup_ratio", where)
    return steps or share or (None if steps is share is None else 0.0)


def _dtype(given: Mapping[str, str]) -> str | None:
    if "bf16" not in given and "fp16" not in given:
        return None
    if _switch(given, "bf16"):
        return "bfloat16"
    return "float16" if _switch(given, "fp16") else "float32"


def _switch(given: Mapping[str, str], name: str) -> bool | None:
    return {"True": True, "False": False}.get(given.get(name, ""))


def _number(given: Mapping[str, str], name: str, where: str) -> float | None:
    if name not in given:
        return None
    try:
        value = float(given[name])
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:
        size = f" up to {_LARGEST:g}" if math.isfinite(value) else ""
        raise HarnessError(f"{where}: {name} is {given[name]!r}, not a number{size}")
    return value


def _whole(given: Mapping[str, str], name: str, where: str, *, least: int | None = None) -> int | None:
    value = _number(given, name, where)
    if value is None:
        return None
    if not value.is_integer() or (least is not None and value < least):
        wanted = "a whole number" if least is None else f"a whole number of {least} or more"
        raise HarnessError(f"{where}: {name} is {given[name]!r}, not {wanted}")
    return int(value)
