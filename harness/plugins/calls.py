"""Call the hooks of plugins, and the functions in their answers; each fault becomes a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from harness.errors import HarnessError
from harness.models.interface import ModelScheme
from harness.plugins.executor import Executor
from harness.plugins.report_writer import ReportWriter
from harness.plugins.tracker import Tracker
from harness.plugins.validate import answer_error, model_error
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.system.source_place import file_of, place_of, place_of_error
from harness.tasks.interface import Task, TaskKind, TaskScheme
from harness.training.check_input import Check
from harness.training.interface import Trainer
from harness.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pluggy

    Note = Callable[[str, str], None]
    """Gets a sentence and the place that it is of, `FILE, line N`, or an empty text."""

KINDS: dict[str, type] = {
    "harness_tasks": Task,
    "harness_task_kinds": TaskKind,
    "harness_task_schemes": TaskScheme,
    "harness_model_schemes": ModelScheme,
    "harness_recipes": Recipe,
    "harness_trainers": Trainer,
    "harness_checks": Check,
    "harness_trackers": Tracker,
    "harness_reports": ReportWriter,
    "harness_executors": Executor,
    "harness_commands": click.Command,
}
"""Hook → the type of its answers; one that is told something has none."""

_FUNCTIONS = {
    "harness_task_kinds": "build",
    "harness_task_schemes": "resolve",
    "harness_model_schemes": "locate",
}
"""Hook → the attribute of its answers that is a function of the plugin."""

_MOST = 100_000
"""Maximum number of answers to a hook: a generator may have no end."""


def call_hook(
    implementation: pluggy.HookImpl, hook: str, subject: Callable[[str], str], note: Note
) -> list[tuple[str, Any]]:
    """Call one plugin's hook; return the usable answers with their names, and note what is wrong.

    Answers that a generator gave before it raised are used. subject: place → what an error calls the plugin.
    """
    function, kind = implementation.function, KINDS[hook]
    usable: list[tuple[str, Any]] = []
    for answer in _answers(function, hook, note):
        if problem := answer_error(answer, kind):
            note(f"{hook} answers {problem}", _place(answer, function))
            continue
        _set_brought_by(answer, implementation)
        whole = _naming_plugin(answer, implementation, hook, subject) if hook in _FUNCTIONS else answer
        usable.append((answer.name, whole))
    return usable


def _answers(function: Callable[..., Any], hook: str, note: Note) -> list[Any]:
    """Return what a hook gives, up to the first error."""
    answers: list[Any] = []
    kind = KINDS[hook].__name__
    try:
        with plugin_code():
            given = function()
            if given is None or isinstance(given, str | bytes | dict | KINDS[hook]) or _is_coroutine(given):
                what = "nothing (None)" if given is None else f"a {type(given).__name__}"
                note(f"{hook} returned {what}: a list of {kind} is wanted", place_of(function))
                return []
            for answer in given:
                answers.append(answer)
                if len(answers) > _MOST:
                    raise HarnessError(f"more than {_MOST:,} answers: does it end?")
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        raised = raised_by(error)
        place = place_of_error(raised, file_of(function)) or place_of(function)
        note(f"{hook} raised {error_sentence(error)}", place)
    return answers


def tell(implementation: pluggy.HookImpl, hook: str, arguments: Mapping[str, Any], note: Note) -> None:
    """Tell one plugin something, in the arguments that its hook declares; note what it raises."""
    function = implementation.function
    try:
        with plugin_code():
            given = function(**{name: arguments[name] for name in implementation.argnames})
            if _is_coroutine(given):
                note(
                    f"{hook} is a coroutine, which is not awaited: write def, not async def",
                    place_of(function),
                )
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        place = place_of_error(raised_by(error), file_of(function)) or place_of(function)
        note(f"{hook} raised {error_sentence(error)}", place)


def _is_coroutine(value: Any) -> bool:  # noqa: ANN401 - any answer
    import inspect

    if inspect.iscoroutine(value):
        value.close()  # else Python warns that it was never awaited
        return True
    return False


def _place(answer: Any, function: Callable[..., Any]) -> str:  # noqa: ANN401 - any answer
    """Return where an answer's class is written in the plugin; else where the hook is."""
    kind = type(answer)  # of a class it is `type`: what is wrong is the hook
    ours = getattr(kind, "__module__", None) == getattr(function, "__module__", "")
    return (place_of(kind) if ours else "") or place_of(function)


def _set_brought_by(answer: Any, implementation: pluggy.HookImpl) -> None:  # noqa: ANN401 - any answer
    """Set a task's `brought_by`: the module that makes a task is part of the task's code."""
    if isinstance(answer, Task):
        # Through `vars`, as a plugin's class may be frozen.
        vars(answer)["brought_by"] = getattr(implementation.plugin, "__name__", "")


def _naming_plugin(
    answer: Any,  # noqa: ANN401 - a kind or a scheme
    implementation: pluggy.HookImpl,
    hook: str,
    subject: Callable[[str], str],
) -> Any:  # noqa: ANN401
    """Return a copy of a kind or scheme whose function names the plugin in its errors.

    The function raises HarnessError for any exception and for a result that cannot be used; a HarnessError
    of its own stays as it is.
    """
    noun = f"{hook.removeprefix('harness_').removesuffix('s').replace('_', ' ')} {answer.name!r}"
    attribute = _FUNCTIONS[hook]
    function = getattr(answer, attribute)

    def call(argument: Any) -> Any:  # noqa: ANN401 - what the function takes and returns
        try:
            with plugin_code():
                result = function(argument)
            problem = model_error(result) if attribute == "locate" else answer_error(result, Task)
        except HarnessError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            cause = raised_by(error)
            where = subject(place_of_error(cause, file_of(function)))
            raise HarnessError(f"{where}: {noun} raised {error_sentence(error)}") from cause
        if problem:
            raise HarnessError(f"{subject(place_of(function))}: {noun} answers {problem}")
        _set_brought_by(result, implementation)
        return result

    return replace(answer, **{attribute: call})
