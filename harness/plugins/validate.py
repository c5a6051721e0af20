"""Validate what plugins return; each check gives the reason why a value cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from harness.metrics.interface import Metric
from harness.models.interface import ModelSpec
from harness.system.plugin_code import error_sentence, plugin_code
from harness.tasks.interface import AggregateTask, Task
from harness.tasks.selection import name_error


def answer_error(answer: Any, kind: type[Any]) -> str | None:  # noqa: ANN401 - a plugin may answer anything
    """Return why an answer cannot be used; None if it can."""
    try:
        with plugin_code():
            if not isinstance(answer, kind):
                return f"{str(answer)[:80]!r}, which is not a {kind.__name__}"
            fault = _task_fault(answer) if isinstance(answer, Task) else _name_fault(answer.name)
    except Exception as error:  # noqa: BLE001 - a plugin's property may raise anything
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
    """Return why the result of a model scheme is not a located model; None if it is."""
    try:
        with plugin_code():
            shown = f"{str(located)[:80]!r}, a model"
            members = ("name", "fingerprint", "spec", "load")
            if missing := [name for name in members if not hasattr(located, name)]:
                return f"{shown} without {', '.join(missing)}"
            for name, kind in (("name", str), ("fingerprint", str), ("spec", ModelSpec)):
                value = getattr(located, name)
                if not isinstance(value, kind) or value == "":
                    return f"{shown} whose {name} is {value!r}, not a {kind.__name__}"
    except Exception as error:  # noqa: BLE001 - a plugin's property may raise anything
        return f"a model whose attributes cannot be read: {error_sentence(error)}"
    return None
