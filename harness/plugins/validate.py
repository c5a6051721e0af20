"""Validate what plugins return; each check gives the reason why a value cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from harness.errors import HarnessError
from harness.metrics.interface import Metric
from harness.tasks.interface import AggregateTask, Task
from harness.tasks.selection import name_error


def answer_error(answer: Any, kind: type[Any]) -> str | None:  # noqa: ANN401 - a plugin may answer anything
    """Return why an answer cannot be used; None if it can."""
    try:
        if not isinstance(answer, kind):
            return f"{str(answer)[:80]!r}, which is not a {kind.__name__}"
        fault = _task_fault(answer) if isinstance(answer, Task) else _name_fault(answer.name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's property may raise anything
        fault = f"whose attributes cannot be read: {error_sentence(error)}"
    return f"a {type(answer).__name__} {fault}" if fault else None


def _task_fault(task: Task) -> str | None:
    """Return which attribute of a task is missing or has an invalid value; None if all are valid."""
    if missing := [name for name in ("name", "kind", "metrics") if not hasattr(task, name)]:
        return f"without {', '.join(missing)}"
    if fault := _name_fault(task.name):
        return fault
    if problem := name_error(task.name):
        return f"whose name {task.name!r} {problem}"
    if not _is_text(task.kind):
        return f"whose kind is {task.kind!r}, not a text"
    if not _all_are(str, task.tags, Collection):
        return f"whose tags is {task.tags!r}, not a set of texts"
    if not _all_are(Metric, task.metrics, Sequence) or not (task.metrics or isinstance(task, AggregateTask)):
        return f"whose metrics is {task.metrics!r}, not one Metric or more"
    return None


def _name_fault(name: Any) -> str | None:  # noqa: ANN401
    return None if _is_text(name) else f"whose name is {name!r}, not a text"


def _is_text(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and value != ""


def _all_are(kind: type, values: Any, container: type[Any]) -> bool:  # noqa: ANN401
    # A text is a collection of texts too, and never meant as one.
    return (
        isinstance(values, container)
        and not isinstance(values, str)
        and all(isinstance(value, kind) for value in values)
    )


def model_error(located: Any) -> str | None:  # noqa: ANN401 - a plugin may return anything
    """Return why the result of a model scheme is not a model; None if it is."""
    missing = [name for name in ("name", "fingerprint", "spec", "load") if not hasattr(located, name)]
    return f"{str(located)[:80]!r}, a model without {', '.join(missing)}" if missing else None


def error_sentence(error: BaseException) -> str:
    """Return an exception's type and message on one line; only the message of a HarnessError."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kind = (
        []
        if isinstance(error, HarnessError)
        else [f"{type(error).__name__}:" if lines else type(error).__name__]
    )
    return " ".join([*kind, *lines])
