"""Workers in this process that train for real, with a trainer that takes milliseconds."""

from __future__ import annotations

import json
import pickle
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path

from harness.evaluation.execution_plan import ExecutionPlan
from harness.evaluation.produce import TrainingRun
from harness.evaluation.train_seeds import SeedsPlan
from harness.execution.unit_runner import UnitRunner
from harness.models.interface import ModelSpec
from harness.models.sentence_transformer import LocatedFolder
from harness.plugins.executor import (
    Executor,
    ExecutorRequest,
    UnitAdvanced,
    UnitDone,
    WorkerEnded,
    WorkerReady,
)
from harness.plugins.loader import load_plugins
from harness.system.paths import start_folder
from harness.system.work_unit import WorkerSetup
from harness.training.check_input import Rows
from harness.training.recipe_file import recipe_from

STEPS = 4
PLUGIN = f"""
import shutil
from harness import hookimpl
from harness.training import LogEntry, Trainer, TrainingResult

def train(job):
    checkpoint = job.work / "checkpoint"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for step in range(first + 1, {STEPS} + 1):
        job.follower.planned({STEPS})
        job.follower.advance(step, step / {STEPS})
        orders = job.base.parent / f"ends-{{job.seed}}"
        if step == 3 and orders.exists():
            raise ValueError(orders.read_text())
        checkpoint.write_text(str(step))
    shutil.copytree(job.base, job.folder)
    (job.folder / "trained.txt").write_text(f"seed {{job.seed}} on {{len(job.rows)}} rows")
    (job.work.parent / f"sitting-of-{{job.seed}}").write_text(f"from {{first}}")
    return TrainingResult(log=(LogEntry(epoch=1.0, step={STEPS}, loss=0.5),), steps={STEPS})

@hookimpl
def harness_trainers():
    return [Trainer("quick", "copies the base", train)]
"""


class SeedWorkers:
    """Workers whose units are done when they are asked what has happened.

    end: takes the number of a unit that was begun and its outcome; whether its worker ends untold.
    facts: fields of a worker's facts, by its number.
    change: takes each unit as it arrives, and returns the one that is done.
    hold: a threading.Event before which no unit is said to be done.
    """

    def __init__(
        self, request, *, count=2, end=lambda _n, _o: False, facts=lambda _n: {}, change=None, hold=None
    ):
        self.count, self.asked, self._setup, self._end, self._facts = (
            count,
            request.workers,
            request.setup,
            end,
            facts,
        )
        self._change = change or (lambda unit: unit)
        self._number, self._hold, self._held = 0, hold, []
        self.begun = []
        self._events, self._given, self._lock = deque(), {}, threading.Lock()
        for _ in range(count):
            self._start()

    def _start(self):
        self._number += 1
        facts = replace(UnitRunner(self._setup).facts(), cores=1)
        facts = replace(facts, **self._facts(self._number))
        self._events.append(WorkerReady(worker=f"w{self._number}", facts=facts))

    def assign(self, worker, unit):
        with self._lock:
            self._given[worker] = pickle.loads(pickle.dumps(unit))

    def wait(self, seconds):
        with self._lock:
            given, self._given = self._given, {}
        for name, unit in given.items():
            told = []
            outcome = UnitRunner(self._setup).run(self._change(unit), told.append)
            self._events += [
                UnitAdvanced(worker=name, progress=pickle.loads(pickle.dumps(one))) for one in told
            ]
            self.begun.append(unit.seed)
            if self._end(len(self.begun), outcome):
                self._events.append(WorkerEnded(worker=name, reason="killed by SIGKILL"))
                self._start()
            else:
                self._held.append(UnitDone(worker=name, outcome=pickle.loads(pickle.dumps(outcome))))
        if self._hold is None or self._hold.is_set():
            self._events += self._held
            self._held = []
        events, self._events = list(self._events), deque()
        if not events:
            threading.Event().wait(min(seconds, 0.005))
        return events

    def close(self):
        pass


class Follower:
    """Keeps what it was called with."""

    def __init__(self):
        self.threads, self.notes, self.done, self.errors = None, [], {}, {}
        self.progress, self.seen = [], threading.Event()

    def started(self, workers, threads):
        self.threads = threads

    def advance(self, run, progress, *, begun):
        if progress is not None:
            self.progress.append((run.seed, progress))
            self.seen.set()

    def trained(self, run, candidate):
        self.done[run.seed] = candidate

    def failed(self, run, error):
        self.errors[run.seed] = error

    def note(self, text):
        self.notes.append(text)


def quick_runs(folder: Path, seeds=(1, 2, 3), **changes) -> list[TrainingRun]:
    """Trainings of the trainer above, whose plugin and base are written into the folder."""
    plugin, base = folder / "quick.py", folder / "base"
    if not base.exists():
        plugin.write_text(PLUGIN)
        base.mkdir()
        (base / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 3}))
        (base / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1, "c": 2}}}))
        (base / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    table = {"name": "quick", "trainer": "quick", "data": {"kind": "scored-pairs"}}
    fields = {
        "recipe": recipe_from({**table, "loss": {"name": "CosineSimilarityLoss"}}, "quick"),
        "trainer": load_plugins([plugin]).trainers()["quick"],
        "rows": Rows(kind="scored-pairs", texts={"text1": ["b"], "text2": ["c"]}, labels=[1.0]),
        "base": LocatedFolder.at(base, ModelSpec("folder", str(base)), "base"), "base_folder": base,
        "base_name": "base", "tasks": [], "data": None, "device": "cpu", "threads": 1,
    }  # fmt: skip
    return [
        TrainingRun(**{**fields, "out": folder / f"c-seed-{seed}", "seed": seed, **changes}) for seed in seeds
    ]


def by_workers(
    folder: Path, *, mixed=False, device="cpu", seeds=3, workers=None, opened=None, **how
) -> SeedsPlan:
    """By such workers. opened: a list that takes them; how: as `SeedWorkers`."""

    def start(request):
        workers = SeedWorkers(request, **how)
        if opened is not None:
            opened.append(workers)
        return workers

    executor = Executor("here", "in this process", start)
    execution = ExecutionPlan(
        executor=executor,
        request=ExecutorRequest(
            setup=WorkerSetup(folder=str(start_folder()), plugin_files=(str(folder / "quick.py"),)),
            workers=workers,
        ),
        mixed=mixed,
    )
    return SeedsPlan(execution=execution, device=device, seeds=seeds)
