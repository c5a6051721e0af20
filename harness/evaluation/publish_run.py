"""Evaluate a plan into a folder that is kept: with a journal, and leaderboards at the end."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.evaluation.journal import RunRequest, keep_journal
from harness.evaluation.preflight import prepare
from harness.evaluation.run import evaluate_run
from harness.evaluation.runner import Runner
from harness.results.publish import publish
from harness.system.environment import current_environment
from harness.tasks.data_choice import shown_data

if TYPE_CHECKING:
    from harness.evaluation.progress import Progress
    from harness.evaluation.run import Evaluator
    from harness.evaluation.runner import RunOutcome, RunPlan
    from harness.results.folder import ResultsFolder


def publish_run(
    plan: RunPlan,
    results: ResultsFolder,
    progress: Progress,
    *,
    plugins: tuple[str, ...] = (),
    task_files: tuple[str, ...] = (),
    evaluator: Evaluator | None = None,
) -> RunOutcome:
    """Evaluate a plan and publish; after an interruption, what is finished is published too.

    plugins, task_files: files that the user named, for the journal.
    Raises HarnessError for what would fail, before anything is written, the journal included.
    """
    started = dt.datetime.now(dt.UTC)
    environment = current_environment(started.isoformat(timespec="microseconds"))
    name = f"{started:%Y%m%d-%H%M%S.%f}-{os.getpid()}"
    head = {**asdict(environment), "data": shown_data(plan.data)}
    request = RunRequest.of(plan, plugins=plugins, task_files=task_files)
    run = Runner(plan, results, progress)
    tasks = prepare(run)
    with run.telling(), keep_journal(results, name, request, head) as journal:
        run.tell_units = lambda units: journal.write({"units": asdict(units)})
        try:
            outcome = evaluate_run(run, tasks, evaluator)
        finally:
            unreadable = publish(results)
        outcome.problems += unreadable
        journal.note(_run_log(outcome))
    return outcome


def _run_log(outcome: RunOutcome) -> dict[str, Any]:
    """Return what a run did, for its journal."""
    return {
        "evaluations": [
            {
                "model": evaluation.candidate.model,
                "fingerprint": evaluation.candidate.fingerprint,
                "task": evaluation.examination.task,
                "status": evaluation.status,
                "key": evaluation.key,
            }
            for evaluation in outcome.evaluations
        ],
        "threads": outcome.threads,
        "reused": outcome.reused,
        "skipped": outcome.skipped,
    }
