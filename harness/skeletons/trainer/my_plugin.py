"""Train with in-batch negatives, in a plain loop of torch that survives a kill."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING

from harness import HarnessError, hookimpl
from harness.training import LogEntry, Trainer, TrainingResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from sentence_transformers import SentenceTransformer

    from harness.training import Recipe, TrainingJob

LOSS = "MultipleNegativesRankingLoss"
HONORED = {"batch_size", "epochs", "steps", "learning_rate", "weight_decay", "max_grad_norm", "seed"}
"""Keys of a recipe's `[train]` that this trainer heeds; any other that is set is refused, not ignored."""
EVERY = 50
"""Steps from one checkpoint to the next."""


def train(job: TrainingJob) -> TrainingResult:
    """Train from the last checkpoint in `job.work`, if there is one, and save the model in `job.folder`."""
    import torch
    from sentence_transformers import SentenceTransformer

    refuse_others(job.recipe)
    torch.set_num_threads(job.threads)
    plan, checkpoint = job.recipe.train, job.work / "checkpoint"
    per_epoch = math.ceil(len(job.rows) / plan.batch_size)
    steps = plan.steps or math.ceil(per_epoch * plan.epochs)
    start = checkpoint / "model" if checkpoint.is_dir() else job.base
    model = SentenceTransformer(str(start), device=job.device, local_files_only=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    done, log = 0, list[LogEntry]()
    if checkpoint.is_dir():
        state = torch.load(checkpoint / "state.pt", weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        done, log = state["step"], [LogEntry(**entry) for entry in state["log"]]
    job.follower.planned(steps)
    model.train()
    for step in range(done, steps):
        # The rows of a step and its random numbers follow from seed and step: a resumed training is the same.
        torch.manual_seed(job.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * (1 - step / steps)
        loss = in_batch_loss(model, job, rows_of(job, step, per_epoch))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.max_grad_norm or math.inf)
        optimizer.step()
        entry = LogEntry(
            epoch=(step + 1) / per_epoch,
            step=step + 1,
            loss=float(loss.detach()),
            metrics=scores_of(model, job) if (step + 1) % per_epoch == 0 else {},
        )
        log.append(entry)
        job.follower.log(entry)
        job.follower.advance(entry.step, entry.epoch)
        if entry.step % EVERY == 0 and entry.step < steps:
            save_checkpoint(checkpoint, model, optimizer, log)
    model.eval()
    model.to("cpu").save_pretrained(str(job.folder))
    return TrainingResult(log=tuple(log), steps=steps)


def refuse_others(recipe: Recipe) -> None:
    """Raise HarnessError for what a recipe asks and this trainer does not do."""
    plan = recipe.to_dict()
    default = {"schedule": "linear", "batch_sampler": "default", "dtype": "float32", "warmup": 0.0}
    others = [
        f"train.{key}"
        for key, value in plan["train"].items()
        if key not in HONORED and value != default.get(key)
    ]
    others += [
        key for key in ("model", "evaluation") if plan.get(key, {}).keys() - {"tasks", "every", "keep"}
    ]
    others += ['evaluation.keep = "best"'] if recipe.evaluation.keep == "best" else []
    others += ["evaluation.every, in steps"] if recipe.evaluation.every != "epoch" else []
    if recipe.loss.name != LOSS or recipe.loss.matryoshka or recipe.loss.similarity == "dot":
        others.append(f"a loss other than {LOSS} of cosines")
    if recipe.data.kind != "pairs":
        others.append(f"data.kind = {recipe.data.kind!r}")
    if others:
        raise HarnessError(
            f"the trainer my-plugin does not do {', '.join(others)}",
            hint='leave it out of the recipe, or take trainer = "sentence-transformers"',
        )


def rows_of(job: TrainingJob, step: int, per_epoch: int) -> Sequence[int]:
    """Return the rows of a step: each row once an epoch, in an order that seed and epoch give."""
    import numpy as np

    epoch, at = divmod(step, per_epoch)
    order = np.random.default_rng([job.seed, epoch]).permutation(len(job.rows))
    size = job.recipe.train.batch_size
    return [int(row) for row in order[at * size : (at + 1) * size]]


def in_batch_loss(model: SentenceTransformer, job: TrainingJob, rows: Sequence[int]) -> torch.Tensor:
    """Return the loss of a batch: each anchor has to find its positive among those of all rows."""
    import torch

    sides = []
    for texts in job.rows.texts.values():
        features = model.preprocess([texts[row] for row in rows])
        features = {name: value.to(model.device) for name, value in features.items() if hasattr(value, "to")}
        sides.append(torch.nn.functional.normalize(model(features)["sentence_embedding"], dim=1))
    anchor, positive = sides
    scores = anchor @ positive.T * job.recipe.loss.parameters["scale"]
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(rows), device=scores.device))


def scores_of(model: SentenceTransformer, job: TrainingJob) -> dict[str, float]:
    """Return the scores of the model as it is now on the recipe's tasks; none where it names no task."""
    if not job.recipe.evaluation.tasks:
        return {}
    folder = job.work / "evaluated"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(folder), create_model_card=False)
    return dict(job.evaluate(folder))


def save_checkpoint(
    folder: Path, model: SentenceTransformer, optimizer: torch.optim.Optimizer, log: Sequence[LogEntry]
) -> None:
    """Write a checkpoint beside the old one, and put it into its place: one of the two is always whole."""
    import torch

    new = folder.with_name("checkpoint-new")
    shutil.rmtree(new, ignore_errors=True)
    model.save_pretrained(str(new / "model"), create_model_card=False)
    entries = [
        {"epoch": entry.epoch, "step": entry.step, "loss": entry.loss, "metrics": dict(entry.metrics)}
        for entry in log
    ]
    state = {"optimizer": optimizer.state_dict(), "step": log[-1].step, "log": entries}
    torch.save(state, new / "state.pt")
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


@hookimpl
def harness_trainers() -> list[Trainer]:
    """Return the trainers that this plugin brings."""
    return [Trainer("my-plugin", "in-batch negatives in a plain loop of torch", train)]
