"""The command that asks what a comparison was asked, as a line for a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.request import CompareRequest


def compare_command(
    request: CompareRequest, plugins: Sequence[str] = (), task_files: Sequence[str] = ()
) -> str:
    """Return `harness compare …` as a line for a shell. plugins, task_files: files that it needs."""
    words = ["harness", "compare", *(request.pair.shown or request.pair.paths)]
    return shlex.join([*words, *_options(request), *file_words(plugins, task_files)])


def file_words(plugins: Sequence[str], task_files: Sequence[str]) -> list[str]:
    """Return the options that name single-file plugins and task files."""
    return [*_repeated("--plugin", plugins), *_repeated("--task-file", task_files)]


def gate_words(margin: float | None, gate: str | None) -> list[str]:
    """Return the options of a gate; a margin with all its digits."""
    return [*_single("--margin", margin), *_single("--gate", gate)]


def _options(request: CompareRequest) -> Iterator[str]:
    pair, scope, choice = request.pair, request.scope, request.choice
    yield from _single("--baseline", pair.baseline)
    yield from _repeated("--candidate", pair.candidates)
    yield from _flag("--seeds", given=pair.seeds)
    yield from _flag("--all-pairs", given=pair.all_pairs)
    yield from _flag("--merge", given=pair.merge)
    yield from gate_words(request.gate.margin, request.gate.gate)
    yield from _single("--select", choice.select)
    yield from _single("--by", choice.by)
    yield from _repeated("--select-on", choice.select_on)
    yield from _repeated("--confirm-on", choice.confirm_on)
    yield from _repeated("--tasks", scope.tasks)
    yield from _repeated("--metrics", scope.metrics)
    yield from _repeated("--allow", scope.allow)
    yield from _repeated("--domain", scope.domain)
    yield from _flag("--power", given=scope.power)
    yield from _flag("--why", given=scope.why)


def _single(option: str, value: object) -> list[str]:
    return [] if value is None else [option, str(value)]


def _repeated(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _flag(option: str, *, given: bool) -> list[str]:
    return [option] if given else []
