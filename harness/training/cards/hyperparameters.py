"""Read the hyperparameters of a model card."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.training.cards.markdown import below, literal, parse_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.training.cards.markdown import Section

_LARGEST = 1e12
"""Maximum of a hyperparameter; larger values would overflow later."""

_SAMPLERS = {
    "batch_sampler": "default",
    "no_duplicates": "no-duplicates",
    "no_duplicates_hashed": "no-duplicates",
    "group_by_label": "group-by-label",
}
"""The library's names of batch samplers → ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters that recipes and checks use, by our names; None for one that is not on the card."""

    size: int | None
    batch_size: int | None
    device_batch: int | None
    """Rows of one device at once, without accumulation."""
    batch_sampler: str | None
    epochs: float | None
    steps: int | None
    max_steps: int | None
    per_epoch: int | None
    """Number of optimizer steps in an epoch on one device."""
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

    The card lists those that are not defaults, then all. Raises HarnessError where one has two values.
    """
    values: dict[str, str] = {}
    for part in below(cut, "Training Hyperparameters", "Non-Default Hyperparameters", "All Hyperparameters"):
        for name, value in parse_settings(part.text):
            if values.setdefault(name, value) != value:
                raise HarnessError(
                    f"{where} contradicts itself: {name} is {values[name]} and {value}",
                    hint="it is under Non-Default Hyperparameters and under All Hyperparameters",
                )
    return {name: value.strip() for name, value in values.items() if value.strip() not in ("None", "")}


def read_plan(settings: Mapping[str, str], sizes: Sequence[int | None], where: str) -> Hyperparameters:
    """Convert hyperparameters to our names and types, and compute the number of steps.

    sizes: rows of each training dataset. Raises HarnessError for a value that is not a number but should be.
    """
    device_batch = _whole(settings, "per_device_train_batch_size", where, least=1)
    accumulated = _whole(settings, "gradient_accumulation_steps", where, least=1) or 1
    per_epoch = _steps_per_epoch(settings, sizes, device_batch, accumulated)
    limit = _whole(settings, "max_steps", where)
    max_steps = limit if limit is not None and limit > 0 else None
    epochs = _number(settings, "num_train_epochs", where)
    if max_steps is not None:
        epochs = max_steps / per_epoch if per_epoch else None
    planned = math.ceil(per_epoch * epochs) if per_epoch and epochs is not None else None
    return Hyperparameters(
        size=None if None in sizes else sum(size or 0 for size in sizes) or None,
        batch_size=device_batch * accumulated if device_batch else None,
        device_batch=device_batch,
        batch_sampler=_SAMPLERS.get(settings.get("batch_sampler", "").rpartition(".")[2].lower()),
        epochs=epochs,
        steps=max_steps or planned,
        max_steps=max_steps,
        per_epoch=per_epoch,
        schedule=settings["lr_scheduler_type"].rpartition(".")[2].lower()
        if "lr_scheduler_type" in settings
        else None,
        learning_rate=_number(settings, "learning_rate", where),
        warmup=_warmup(settings, where),
        weight_decay=_number(settings, "weight_decay", where),
        max_grad_norm=_number(settings, "max_grad_norm", where),
        seed=_whole(settings, "seed", where),
        dtype=_dtype(settings),
        keeps_best=_switch(settings, "load_best_model_at_end"),
    )


def read_prompts(settings: Mapping[str, str]) -> dict[str, str]:
    """Return column → prompt of a training; of prompts by dataset, those of the first; "" for all columns."""
    text = settings.get("prompts", "")
    value = literal(text) if text.startswith(("{", "'", '"')) else text
    if isinstance(value, str):
        return {"": value} if value else {}
    if not isinstance(value, dict):
        return {}
    first = next(iter(value.values()), None)
    prompts = first if isinstance(first, dict) else value
    return {str(column): prompt for column, prompt in prompts.items() if isinstance(prompt, str)}


def _steps_per_epoch(
    settings: Mapping[str, str], sizes: Sequence[int | None], batch: int | None, accumulated: int
) -> int | None:
    """Count as the trainer does on one device: batches of each dataset, then accumulated steps."""
    if not batch or not sizes or not all(sizes):
        return None
    cut = math.floor if _switch(settings, "dataloader_drop_last") else math.ceil
    batches = [cut((size or 0) / batch) for size in sizes]
    # Round robin ends with the smallest dataset.
    in_turn = settings.get("multi_dataset_batch_sampler", "").rpartition(".")[2].lower() == "round_robin"
    return max(1, math.ceil((min(batches) * len(batches) if in_turn else sum(batches)) / accumulated))


def _warmup(settings: Mapping[str, str], where: str) -> float | None:
    """Return `warmup_steps`, else `warmup_ratio`; since version 6, `warmup_steps` may be a share."""
    steps, share = _number(settings, "warmup_steps", where), _number(settings, "warmup_ratio", where)
    return steps or share or (None if steps is share is None else 0.0)


def _dtype(settings: Mapping[str, str]) -> str | None:
    if "bf16" not in settings and "fp16" not in settings:
        return None
    if _switch(settings, "bf16"):
        return "bfloat16"
    return "float16" if _switch(settings, "fp16") else "float32"


def _switch(settings: Mapping[str, str], name: str) -> bool | None:
    return {"True": True, "False": False}.get(settings.get(name, ""))


def _number(settings: Mapping[str, str], name: str, where: str) -> float | None:
    if name not in settings:
        return None
    try:
        value = float(settings[name])
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:
        size = f" up to {_LARGEST:g}" if math.isfinite(value) else ""
        raise HarnessError(f"{where}: {name} is {settings[name]!r}, not a number{size}")
    return value


def _whole(settings: Mapping[str, str], name: str, where: str, *, least: int | None = None) -> int | None:
    value = _number(settings, name, where)
    if value is None:
        return None
    if not value.is_integer() or (least is not None and value < least):
        wanted = "a whole number" if least is None else f"a whole number of {least} or more"
        raise HarnessError(f"{where}: {name} is {settings[name]!r}, not {wanted}")
    return int(value)
