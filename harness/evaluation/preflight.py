"""Before a run spends anything: rows are read, and all that would fail is found, to be mended at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import Faults, HarnessError
from harness.evaluation.frozen_suites import refuse_changed_rows
from harness.evaluation.without_texts import withheld_reason
from harness.models.usable import check_usable
from harness.system.plugin_code import error_sentence
from harness.tasks.interface import HUB

if TYPE_CHECKING:
    from harness.evaluation.evaluate import LoadedTask
    from harness.evaluation.runner import Runner

_ADVICE = "--keep-going evaluates the rest; what cannot be evaluated is an ERROR there"


def prepare(run: Runner) -> list[LoadedTask]:
    """Return the tasks of a run with their rows, which are read here and only here.

    Nothing is encoded, and nothing is written.
    Raises HarnessError that names all that would fail: what the plan found (`RunPlan.faults`), models that
    cannot be used, rows that cannot be read. With `keep_going` these become ERROR records in their turn,
    and the plan's faults problems of the outcome. Always raises where rows are not those that a suite was
    frozen with, and where there is nothing to evaluate.
    """
    plan, frozen, faults = run.plan, Faults(), Faults()
    tasks = run.read_tasks()
    with frozen.collect():
        refuse_changed_rows(tasks, plan.suites)
    for fault in (*plan.faults, *frozen.found):
        faults.add(fault)
    if plan.keep_going:
        frozen.refuse()
        run.outcome.problems += [str(fault) for fault in plan.faults]
    else:
        found = _faults(run, tasks)
        for (what, name), error in found.items():
            alone = what == "model" and len(plan.models) == 1
            faults.add(error, "" if alone else f"{what} {name}")
        rest = len(plan.models) > _count("model", found) and len(tasks) > _count("task", found)
        faults.refuse(hint=_ADVICE if rest and not frozen.found else None)
    if plan.tasks and not tasks:
        lacking = "has a home on the hub" if plan.data == HUB else "ships a sample"
        raise HarnessError(
            f"none of the selected tasks {lacking}",
            exists="\n".join(run.outcome.skipped),
            hint="give the real data: --data DIR (docs/data.md)",
        )
    return tasks


def _faults(run: Runner, tasks: list[LoadedTask]) -> dict[tuple[str, str], HarnessError]:
    """Return what would fail: (`model` or `task`, name) → why, of those that have something left to do."""
    found: dict[tuple[str, str], HarnessError] = {}
    left: dict[str, LoadedTask] = {}
    for located in run.plan.models:
        own = [loaded for loaded in tasks if run.reusable(located, loaded) is None]
        left |= {loaded.task.name: loaded for loaded in own}
        if own or not tasks:
            try:
                check_usable(located)
            except HarnessError as error:
                found["model", located.name] = error
    for name, loaded in left.items():
        # Not what it announces: that may end the process, which is to cost no result of another task.
        if loaded.error is not None:
            found["task", name] = _as_told(loaded.error, no_texts=run.plan.no_texts)
    return found


def _count(what: str, found: dict[tuple[str, str], HarnessError]) -> int:
    return sum(kind == what for kind, _ in found)


def _as_told(error: Exception, *, no_texts: bool) -> HarnessError:
    """Return an error as a user's; of one that is not, its type and message."""
    if no_texts:
        return HarnessError(withheld_reason(error))
    return error if isinstance(error, HarnessError) else HarnessError(error_sentence(error))
