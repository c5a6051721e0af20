"""A trainer that counts its steps on disk and continues from there; for processes that are killed."""

from __future__ import annotations

import json
import os
import shutil
import time

from harness import hookimpl
from harness.training import LogEntry, Trainer, TrainingResult

SLOWLY = "COUNTING_SECONDS"
"""Environment variable: the seconds that a step takes."""


def count(job):
    """Copy the base, with a file that says what was counted."""
    state, steps = job.work / "counted.json", job.recipe.train.steps
    counted = json.loads(state.read_text()) if state.is_file() else []
    job.follower.planned(steps)
    for step in range(len(counted) + 1, steps + 1):
        time.sleep(float(os.environ.get(SLOWLY, "0")))
        counted.append((job.seed * 7919 + step * 104729) % 1000003)
        half = state.with_suffix(".half")
        half.write_text(json.dumps(counted))
        half.replace(state)
        job.follower.advance(step, step / steps)
    shutil.copytree(job.base, job.folder)
    (job.folder / "counted.json").write_text(json.dumps(counted))
    log = tuple(LogEntry(epoch=step / steps, step=step, loss=1 / step) for step in range(1, steps + 1))
    return TrainingResult(log=log, steps=steps)


@hookimpl
def harness_trainers():
    return [Trainer("counting", "counts its steps", count)]
