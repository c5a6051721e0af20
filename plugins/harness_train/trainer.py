"""Train a recipe with the trainer of sentence-transformers."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from typing import TYPE_CHECKING, Any

from harness.authoring import require_extra
from harness.training import Trainer, TrainingResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )

    from harness.training import LogEntry, Rows, TrainingJob

_LINES = 50
"""Approximate number of lines of the loss log, over the whole training."""


def train(job: TrainingJob) -> TrainingResult:
    """Train from the last complete checkpoint, if there is one, and save the model in `job.folder`.

    If the user interrupts, save a checkpoint and raise the signal again, or KeyboardInterrupt.
    """
    import torch

    from harness_train.callbacks import CheckpointCallback, ProgressCallback, StopCallback

    torch.set_num_threads(job.threads)
    stop = StopCallback(job.recipe.train.stop_after)
    with _quiet(), stop:
        model, arguments = _model(job), _arguments(job)
        trainer = _trainer(
            job, model, arguments, [ProgressCallback(job.follower), CheckpointCallback(), stop]
        )
        checkpoint = _last_checkpoint(job.work)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    stop.raise_again()
    log = _log(trainer)
    best = trainer.state.best_global_step if arguments.load_best_model_at_end else None
    _finish_card(model, log, best)
    model.to(torch.device("cpu")).save_pretrained(str(job.folder))
    return TrainingResult(
        log=log,
        steps=trainer.state.global_step,
        best_step=best,
        dtype="bfloat16" if arguments.bf16 else "float32",
    )


def _model(job: TrainingJob) -> SentenceTransformer:
    """Load the base, with the recipe's modules on top and its length limit."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    model = SentenceTransformer(str(job.base), device=job.device, local_files_only=True)
    settings = job.recipe.model
    modules = list(model)
    if settings.pooling is not None:
        index = next(index for index, module in enumerate(modules) if isinstance(module, Pooling))
        modules[index] = Pooling(modules[index].embedding_dimension, settings.pooling)
    if settings.normalize is not None:
        modules = [module for module in modules if not isinstance(module, Normalize)]
        modules += [Normalize()] if settings.normalize else []
    if modules != list(model):
        before = model
        model = SentenceTransformer(modules=modules, device=job.device)
        model.prompts, model.similarity_fn_name = before.prompts, before.similarity_fn_name
    if job.recipe.train.max_seq_length is not None:
        model.max_seq_length = job.recipe.train.max_seq_length
    card = model.model_card_data
    # Otherwise the card looks up the name of the folder on the hub.
    card.local_files_only = True
    card.base_model = job.base_name if "/" in job.base_name else None
    card.train_datasets = [{"name": job.recipe.data.path or job.rows.source}]
    return model


def _arguments(job: TrainingJob) -> SentenceTransformerTrainingArguments:
    from sentence_transformers import SentenceTransformerTrainingArguments

    plan, evaluation = job.recipe.train, job.recipe.evaluation
    steps = plan.steps or math.ceil(math.ceil(len(job.rows) / plan.batch_size) * plan.epochs)
    when = "no" if not evaluation.tasks else "epoch" if evaluation.every == "epoch" else "steps"
    best = evaluation.keep == "best"
    return SentenceTransformerTrainingArguments(
        output_dir=str(job.work / "checkpoints"),
        num_train_epochs=plan.epochs,
        max_steps=plan.steps or -1,
        per_device_train_batch_size=plan.batch_size,
        learning_rate=plan.learning_rate,
        lr_scheduler_type=plan.schedule,
        warmup_steps=plan.warmup if plan.warmup < 1 else int(plan.warmup),
        weight_decay=plan.weight_decay,
        max_grad_norm=plan.max_grad_norm,
        batch_sampler=plan.batch_sampler.replace("-", "_").replace("default", "batch_sampler"),
        seed=job.seed,
        bf16=_use_bfloat16(plan.dtype, job.device),
        use_cpu=job.device == "cpu",
        dataloader_pin_memory=job.device != "cpu",
        logging_steps=max(1, steps // _LINES),
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy=when,
        eval_steps=None if when != "steps" else float(evaluation.every),
        save_strategy=when,
        save_steps=500 if when != "steps" else float(evaluation.every),
        save_total_limit=1,
        load_best_model_at_end=best,
        metric_for_best_model=_deciding(job) if best else None,
        greater_is_better=True if best else None,
        report_to=list(plan.report_to) or "none",
        disable_tqdm=True,
    )


def _trainer(
    job: TrainingJob,
    model: SentenceTransformer,
    arguments: SentenceTransformerTrainingArguments,
    callbacks: list[Any],
) -> SentenceTransformerTrainer:
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import EarlyStoppingCallback, PrinterCallback

    from harness_train.losses import build_loss

    if job.recipe.evaluation.patience is not None:
        callbacks.append(EarlyStoppingCallback(job.recipe.evaluation.patience))
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=_dataset(job.rows),
        loss=build_loss(job.recipe, model),
        evaluator=_evaluator(job) if job.recipe.evaluation.tasks else None,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _evaluator(job: TrainingJob) -> Any:  # noqa: ANN401 - a class that exists here only
    from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

    class TaskEvaluator(SentenceEvaluator):
        """Evaluate the recipe's tasks."""

        def __call__(self, model: Any, *_: Any, **__: Any) -> dict[str, float]:  # noqa: ANN401 - as in its base
            return _evaluate(job, model)

    return TaskEvaluator()  # type: ignore[no-untyped-call]


def _evaluate(job: TrainingJob, model: SentenceTransformer) -> dict[str, float]:
    """Score the current weights, saved and loaded again.

    This is how the finished model is scored: under autocast, with dropout or in padded batches embeddings
    have other bits, and the ranks of a nearly collapsed model depend on the last ones. Loading draws random
    numbers, which must not change those of the training.
    """
    import torch

    folder = job.work / "evaluated"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(folder), create_model_card=False)
    try:
        with torch.random.fork_rng():
            return dict(job.evaluate(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dataset(rows: Rows) -> Dataset:
    """Return the dataset with texts in the order of the loss, and the label last."""
    from datasets import Dataset

    labels = {} if rows.labels is None else {"label": list(rows.labels)}
    return Dataset.from_dict({**{name: list(cells) for name, cells in rows.texts.items()}, **labels})


def _deciding(job: TrainingJob) -> str:
    return f"eval_{job.deciding}"


def _use_bfloat16(dtype: str, device: str) -> bool:
    """Whether to compute in bfloat16: by request, or with `auto` if the hardware multiplies it faster."""
    import torch

    if dtype != "auto":
        return dtype == "bfloat16"
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bool(torch.cpu._is_amx_tile_supported())  # noqa: SLF001 - no public name exists


def _last_checkpoint(work: Path) -> Path | None:
    """Return the newest complete checkpoint, whose last file is its state; remove incomplete ones."""
    complete = {}
    for state in work.glob("checkpoints/checkpoint-*/trainer_state.json"):
        with contextlib.suppress(ValueError, OSError):
            complete[int(json.loads(state.read_bytes())["global_step"])] = state.parent
    for folder in work.glob("checkpoints/checkpoint-*"):
        if folder not in complete.values():
            shutil.rmtree(folder)
    return complete[max(complete)] if complete else None


def _log(trainer: SentenceTransformerTrainer) -> tuple[LogEntry, ...]:
    from harness_train.callbacks import log_entry

    return tuple(entry for line in trainer.state.log_history if (entry := log_entry(line)))


def _finish_card(model: SentenceTransformer, log: tuple[LogEntry, ...], best: int | None) -> None:
    """Set the whole log on the card, which has only the lines since the last resume."""
    lines: dict[int, dict[str, float]] = {}
    for entry in log:
        line = lines.setdefault(entry.step, {"Epoch": entry.epoch, "Step": entry.step})
        line |= {} if entry.loss is None else {"Training Loss": entry.loss}
        line |= entry.metrics
    model.model_card_data.training_logs = list(lines.values())
    model.model_card_data.best_model_step = best


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress progress bars and notices of the libraries, but not errors."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)


def check_ready() -> None:
    """Raise HarnessError where accelerate, which the trainer of transformers imports, is not installed."""
    require_extra("accelerate", "train", "trainer sentence-transformers")


SENTENCE_TRANSFORMERS = Trainer(
    "sentence-transformers",
    "sentence-transformers' own trainer, on CPU or GPU, float32 or bfloat16",
    train,
    check_ready,
)
