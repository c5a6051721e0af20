"""`harness compare --select best`: what its options ask for, and what they cannot be combined with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.request import selected_tasks
from harness.errors import HarnessError
from harness.tasks.selection import split_words

_GATE = "gate"
"""What `--by` takes besides a task or tag."""

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.compare import CompareOptions
    from harness.comparison.request import PairOptions, ScopeOptions, SelectOptions
    from harness.comparison.selection import Selected
    from harness.comparison.sources import ModelResults
    from harness.tasks.suites import Suite


def check_select(choice: SelectOptions, pair: PairOptions, scope: ScopeOptions) -> bool:
    """Return whether a candidate is to be selected; raises HarnessError for options that contradict."""
    select_on, confirm_on = split_words(choice.select_on), split_words(choice.confirm_on)
    if bool(select_on) != bool(confirm_on):
        lacking = "--confirm-on" if select_on else "--select-on"
        raise HarnessError(
            f"{lacking} is missing: one chooses, the other confirms",
            hint="`--select best --tasks NAMES` chooses and judges on the same tasks",
        )
    if not (choice.select or select_on):
        if choice.by:
            raise HarnessError("--by says what to select by", hint=f"--select best --by {choice.by}")
        return False
    if pair.seeds:
        raise HarnessError(
            "--seeds makes one candidate of all: there is nothing to select", hint="leave out --seeds"
        )
    if pair.all_pairs:
        raise HarnessError("--all-pairs has no baseline to gain on", hint="leave out --all-pairs")
    if select_on and scope.tasks:
        raise HarnessError("--select-on and --confirm-on say which tasks", hint="leave out --tasks")
    return True


def select(
    choice: SelectOptions,
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
    options: CompareOptions,
    suites: Mapping[str, Suite],
) -> Selected:
    """Select a candidate, and compare it, on the tasks that confirm it if there are such."""
    from dataclasses import replace

    from harness.comparison.selection import select_and_confirm, select_best

    by, by_gate = _by(choice, options)
    if not split_words(choice.select_on):
        return select_best(pairs, options, by, by_gate=by_gate)
    select_on = selected_tasks(split_words(choice.select_on), options.tasks, suites, pairs)
    confirm_on = selected_tasks(split_words(choice.confirm_on), options.tasks, suites, pairs) or frozenset()
    return select_and_confirm(pairs, replace(options, only=select_on), confirm_on, by)


def _by(choice: SelectOptions, options: CompareOptions) -> tuple[str | None, bool]:
    """Return the task or tag to select by, if any, and whether only among those that pass the gate."""
    names = split_words((choice.by,)) if choice.by else []
    others = [name for name in names if name != _GATE]
    if len(others) > 1:
        raise HarnessError(
            f"--by {choice.by} names {len(others)} tasks or tags", hint=f"--by takes one, and `{_GATE}`"
        )
    if len(others) < len(names):
        if choice.confirm_on:
            raise HarnessError(
                f"--by {_GATE} asks the gate where it selects, and --confirm-on only on other tasks",
                hint=f"leave out `{_GATE}`",
            )
        if options.gate is None:
            raise HarnessError(f"--by {_GATE} needs a gate", hint="--margin 0.01, or --gate GATE.toml")
    return others[0] if others else None, len(others) < len(names)
