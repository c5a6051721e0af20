"""Rows of tasks held against the digests that suites were frozen with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.render import told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.evaluation.evaluate import LoadedTask
    from harness.results.records import Examination
    from harness.tasks.suites import Suite


def refuse_changed_rows(tasks: Sequence[LoadedTask], suites: Sequence[Suite]) -> None:
    """Raise HarnessError that names each task whose rows are not those that a suite was frozen with.

    A task whose rows could not be read is left out: it becomes an ERROR record.
    """
    found = {loaded.task.name: loaded.examination for loaded in tasks if loaded.error is None}
    for suite in suites:
        changed = [
            found[task]
            for task, digest in suite.digests.items()
            if task in found and found[task].digest != digest
        ]
        if changed:
            lines = [
                "{}: expected {}, found {} ({})".format(
                    each.task, *told_apart(suite.digests[each.task], each.digest), each.origin
                )
                for each in changed
            ]
            raise HarnessError(
                f"{suite}: the rows are not those that it was frozen with",
                exists="\n".join(lines),
                hint=_advice(changed, suite),
            )


def _advice(examinations: Sequence[Examination], suite: Suite) -> str:
    """Say what to do, by the likeliest cause."""
    if any(examination.limit is not None for examination in examinations):
        return "--limit takes a sample of the rows, which has another digest: leave it out, or name the tasks"
    if any(examination.data == "sample" for examination in examinations):
        return "a sample has another digest than the full data: --data DIR"
    return f"restore the rows; if the suite is meant to change: harness freeze {suite.name} --write"
