"""Validate what plugins return; each check gives the reason why a value cannot be used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from harness.errors import HarnessError, nearest
from harness.metrics.interface import Metric
from harness.models.interface import ALL_SETTINGS, ModelScheme, ModelSpec
from harness.plugins.commands import COMMANDS
from harness.plugins.executor import Executor
from harness.plugins.report_writer import ReportWriter
from harness.plugins.tracker import Tracker
from harness.render import shown_value
from harness.system.plugin_code import error_sentence, plugin_code
from harness.tasks.interface import AggregateTask, Splits, Task, TaskKind, TaskScheme
from harness.tasks.selection import name_error
from harness.training.check_input import Check
from harness.training.interface import Trainer
from harness.training.recipe import Recipe

_CALLED: dict[type[Any], tuple[str, ...]] = {
    TaskKind: ("build",),
    TaskScheme: ("resolve",),
    ModelScheme: ("locate",),
    Trainer: ("train",),
    Check: ("look",),
    Tracker: ("open",),
    Executor: ("open", "check", "validate"),
    ReportWriter: ("page", "leaderboard", "figures", "check"),
}
"""Kind of answer → its attributes that are called."""

_NEEDED = {"name": '`name = "…"`', "kind": '`kind = "…"`', "metrics": "`metrics = (Metric(…),)`"}
"""Attribute that every task must have → how its class sets it."""


def answer_error(answer: Any, kind: type[Any]) -> str | None:  # noqa: ANN401 - a plugin may answer anything
    """Return why an answer cannot be used; None if it can."""
    try:
        with plugin_code():
            if isinstance(answer, type) and issubclass(answer, kind):
                return f"the class {answer.__name__}, not a {kind.__name__}: write {answer.__name__}(…)"
            if not isinstance(answer, kind):
                return f"{shown_value(answer)!r}, which is not a {kind.__name__}"
            fault = _task_fault(answer) if isinstance(answer, Task) else _fault(answer, kind)
    except Exception as error:  # noqa: BLE001 - a plugin's property may raise anything
        fault = f"whose attributes cannot be read: {error_sentence(error)}"
    return f"a {type(answer).__name__} {fault}" if fault else None


def _fault(answer: Any, kind: type[Any]) -> str | None:  # noqa: ANN401
    """Return which field of an answer that is no task cannot be used; None if all can."""
    if fault := _name_fault(answer.name):
        return fault
    if isinstance(answer, Recipe):
        return _recipe_fault(answer)
    if isinstance(answer, click.Command):
        return _command_fault(answer)
    named = f"{answer.name!r} whose"
    if not isinstance(answer.help, str):
        return f"{named} help is {answer.help!r}, not a text"
    for attribute in _CALLED.get(kind, ()):
        if not callable(getattr(answer, attribute)):
            return f"{named} {attribute} is {getattr(answer, attribute)!r}, not a function"
    ready: object = answer.ready if isinstance(answer, Trainer) else None
    if ready is not None and not callable(ready):
        return f"{named} ready is {ready!r}, not a function"
    return _honors_fault(answer) if isinstance(answer, ModelScheme) else None


def _recipe_fault(recipe: Recipe) -> str | None:
    """Return what is wrong with a recipe, as its file would be refused; None if nothing is."""
    from harness.training.recipe_file import recipe_from

    try:
        recipe_from(recipe.to_dict(), f"recipe {recipe.name!r}")
    except HarnessError as error:
        return f"that cannot be used: {error_sentence(error)}"
    return None


def _command_fault(command: click.Command) -> str | None:
    """Return why a command cannot be called by its name; None if it can."""
    if command.name in COMMANDS:
        return f"whose name {command.name!r} is that of a command of harness itself"
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", command.name or ""):
        return f"whose name {command.name!r} is not one word"
    return None


def _honors_fault(scheme: ModelScheme) -> str | None:
    """Return which of the settings that a scheme honors do not exist: it would honor nothing of that name."""
    if not _all_are(str, scheme.honors, Collection):
        return f"{scheme.name!r} whose honors is {scheme.honors!r}, not a set of names of settings"
    for name in sorted(scheme.honors):
        if name not in ALL_SETTINGS:
            near = nearest(name, ALL_SETTINGS, most=1)
            known = f"did you mean {near[0]}?" if near else f"they are {', '.join(sorted(ALL_SETTINGS))}"
            return f"{scheme.name!r} that honors {name!r}, which is not a setting: {known}"
    return None


def _task_fault(task: Task) -> str | None:
    """Return which attribute of a task is missing or has an invalid value; None if all are valid."""
    if missing := [name for name in _NEEDED if not hasattr(task, name)]:
        wanted = ", ".join(_NEEDED[name] for name in missing)
        return f"without {', '.join(missing)}: its class needs {wanted}"
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
    return _metrics_fault(task.metrics) or _kinds_fault(task)


def _kinds_fault(task: Task) -> str | None:
    """Return which further attribute of a task is of another kind than it must be."""
    if not isinstance(task.version, int) or isinstance(task.version, bool):
        return f"whose version is {task.version!r}, not a whole number"
    splits: Any = task.splits
    sample: Any = task.sample
    options: Any = task.options
    if not isinstance(splits, Splits) or not _is_text(splits.evaluated):
        return f"whose splits is {splits!r}, not Splits(evaluated='test')"
    if not _all_are(str, splits.fitted_on, Collection):
        return f"whose splits are fitted on {splits.fitted_on!r}, not a tuple of texts"
    if sample is not None and not isinstance(sample, Path):
        return f"whose sample is {sample!r}, not a Path"
    if not isinstance(options, Mapping):
        return f"whose options is {options!r}, not a dict of plain data"
    return None


def _metrics_fault(metrics: Sequence[Metric]) -> str | None:
    """Return which metric has a field that cannot be used, or a name that another has."""
    for metric in metrics:
        name: Any = metric.name
        if not _is_text(name):
            return f"with a Metric whose name is {name!r}, not a text"
        if not isinstance(metric.compute, Callable):  # type: ignore[arg-type] # callable, for any object
            return f"whose metric {name!r} computes with {metric.compute!r}, not a function"
        if not _all_are(str, metric.columns, Sequence) or not metric.columns:
            return f"whose metric {name!r} has columns {metric.columns!r}, not a tuple of names"
        if metric.where is not None and not _is_text(metric.where):
            return f"whose metric {name!r} counts rows where {metric.where!r}, not the name of a column"
        if metric.bounds is not None and not _are_bounds(metric.bounds):
            return f"whose metric {name!r} has bounds {metric.bounds!r}, not (least, greatest) in numbers"
    repeated = [name for name, count in Counter(metric.name for metric in metrics).items() if count > 1]
    return f"with more than one metric {repeated[0]!r}" if repeated else None


def _are_bounds(bounds: Any) -> bool:  # noqa: ANN401
    numbers = isinstance(bounds, tuple | list) and len(bounds) == 2
    return numbers and all(isinstance(bound, int | float) for bound in bounds) and bounds[0] < bounds[1]


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
            shown = f"{shown_value(located)!r}, a model"
            members = ("name", "fingerprint", "spec", "load")
            if missing := [name for name in members if not hasattr(located, name)]:
                return f"{shown} without {', '.join(missing)}"
            for name, kind in (("name", str), ("fingerprint", str), ("spec", ModelSpec)):
                value = getattr(located, name)
                if not isinstance(value, kind) or value == "":
                    return f"{shown} whose {name} is {value!r}, not a {kind.__name__}"
            if not re.fullmatch("[0-9a-f]{8,}", located.fingerprint):
                return f"{shown} whose fingerprint is {located.fingerprint!r}, not a hex digest"
            if not callable(located.load):
                return f"{shown} whose load is not a method"
    except Exception as error:  # noqa: BLE001 - a plugin's property may raise anything
        return f"a model whose attributes cannot be read: {error_sentence(error)}"
    return None
