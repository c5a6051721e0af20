"""Find and load plugins, loudly: one that is broken is reported, and the rest work."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pluggy

from harness.errors import HarnessError
from harness.models.interface import ModelScheme
from harness.plugins import hookspecs
from harness.plugins.validate import answer_error, error_sentence, model_error
from harness.system.code_hash.walk import PLUGIN_FILE
from harness.tasks.interface import Task, TaskKind, TaskScheme
from harness.tasks.selection import ambiguous
from harness.training.check_input import Check
from harness.training.interface import Trainer
from harness.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import ModuleType


GROUP = "harness"
"""The entry-point group under which a distribution registers its plugins."""

_ANSWERS: dict[str, type] = {
    "harness_tasks": Task,
    "harness_task_kinds": TaskKind,
    "harness_task_schemes": TaskScheme,
    "harness_model_schemes": ModelScheme,
    "harness_recipes": Recipe,
    "harness_trainers": Trainer,
    "harness_checks": Check,
}
"""What the answers to each question are made of."""

_FUNCTIONS = {
    "harness_task_kinds": "build",
    "harness_task_schemes": "resolve",
    "harness_model_schemes": "locate",
}
"""The function of the plugin that an answer holds."""

BUILT_IN = "harness.plugins.builtin"
"""Our own model schemes are a plugin too."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin as `harness list plugins` shows it."""

    name: str
    origin: str
    """The distribution and its version, or the file."""
    hooks: tuple[str, ...] = ()
    """The questions that it answers."""
    problem: str | None = None
    """Why it is not in use; None when all is well."""


@dataclass
class Plugins:
    """The loaded plugins, and what they answer."""

    manager: pluggy.PluginManager
    found: list[PluginInfo] = field(default_factory=list)
    _answers: dict[str, dict[str, tuple[Any, str]]] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """One sentence for each plugin that could not be used, or whose answer could not."""
        broken = [
            f"plugin {info.name} ({info.origin}): {info.problem}" for info in self.found if info.problem
        ]
        return broken + self._problems

    def tasks(self) -> dict[str, Task]:
        """All tasks by name."""
        return {name: task for name, (task, _) in self._collect("harness_tasks").items()}

    def task_kinds(self) -> dict[str, TaskKind]:
        """All kinds that a task file may name."""
        return {name: kind for name, (kind, _) in self._collect("harness_task_kinds").items()}

    def task_schemes(self) -> dict[str, TaskScheme]:
        """All prefixes of task names."""
        return {name: scheme for name, (scheme, _) in self._collect("harness_task_schemes").items()}

    def model_schemes(self) -> dict[str, ModelScheme]:
        """All model schemes by name."""
        return {name: scheme for name, (scheme, _) in self._collect("harness_model_schemes").items()}

    def recipes(self) -> dict[str, Recipe]:
        """All recipes by name."""
        return {name: recipe for name, (recipe, _) in self._collect("harness_recipes").items()}

    def trainers(self) -> dict[str, Trainer]:
        """All trainers by name."""
        return {name: trainer for name, (trainer, _) in self._collect("harness_trainers").items()}

    def checks(self) -> dict[str, Check]:
        """All checks by name."""
        return {name: check for name, (check, _) in self._collect("harness_checks").items()}

    def origin(self, hook: str, name: str) -> str:
        """Name the plugin that answered `hook` with `name`."""
        return self._collect(hook)[name][1]

    def _collect(self, hook: str) -> dict[str, tuple[Any, str]]:
        """Ask every plugin one question; answers by unique name, with the plugin each came from."""
        if hook not in self._answers:
            offers: dict[str, list[tuple[Any, str]]] = {}
            for implementation in getattr(self.manager.hook, hook).get_hookimpls():
                for name, answer in self._ask(implementation, hook):
                    offers.setdefault(name, []).append((answer, implementation.plugin_name))
            clashes = {name: given for name, given in offers.items() if len(given) > 1}
            for name, given in clashes.items():
                plugins = " and ".join(plugin for _, plugin in given)
                self._problems.append(f"{name!r} is brought by {plugins}: none of them is used ({hook})")
            self._answers[hook] = {name: given[0] for name, given in offers.items() if name not in clashes}
            if hook == "harness_tasks":
                self._drop_ambiguous(self._answers[hook])
        return self._answers[hook]

    def _drop_ambiguous(self, tasks: dict[str, tuple[Task, str]]) -> None:
        """Leave out tasks that would hide those with a tag of their name."""
        for name, others in ambiguous({name: task for name, (task, _) in tasks.items()}).items():
            _, plugin = tasks.pop(name)
            tag = f"has the name of a tag (of {', '.join(others)})"
            self._problems.append(f"plugin {plugin}: task {name!r} {tag}: it is not used")

    def _ask(self, implementation: pluggy.HookImpl, hook: str) -> Iterable[tuple[str, Any]]:
        plugin = implementation.plugin_name
        try:
            answers: list[Any] = list(implementation.function())  # type: ignore[call-overload]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
            self._problems.append(f"plugin {plugin}: {hook} raised {error_sentence(error)}")
            return
        for answer in answers:
            if problem := answer_error(answer, _ANSWERS[hook]):
                self._problems.append(f"plugin {plugin}: {hook} answers {problem}")
            else:
                _sign(answer, implementation)
                yield answer.name, _blamed(answer, implementation, hook) if hook in _FUNCTIONS else answer


def load_plugins(files: Sequence[Path] = (), allowed: Sequence[str] | None = None) -> Plugins:
    """Load our own plugins, every installed one (entry-point group `harness`), and single files.

    allowed: names of the installed plugins to load; None for those in the environment variable
    HARNESS_PLUGINS (separated by commas), or all when it is not set.
    Raises HarnessError for an allowed name that is not installed, and for a file that is not there.
    """
    manager = pluggy.PluginManager("harness")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager)
    _load(plugins, "builtin", "harness", lambda: importlib.import_module(BUILT_IN))
    offers = _allowed(_entry_points(), allowed)
    for name, points in offers.items():
        origin = " and ".join(_distribution(point) for point in points)
        if len(points) > 1:
            problem = f"{len(points)} distributions bring a plugin of this name: none of them is loaded"
            plugins.found.append(PluginInfo(name, origin, problem=problem))
        else:
            _load(plugins, name, origin, points[0].load)
    for file in files:
        if not file.is_file():
            raise HarnessError(f"no plugin file {file}", hint="--plugin takes a single Python file")
        _load(plugins, file.stem, str(file), lambda file=file: _import_file(file))  # type: ignore[misc]
    return plugins


def _entry_points() -> dict[str, list[importlib.metadata.EntryPoint]]:
    """Entry points of our group by name; a distribution that is seen twice on the path counts once."""
    found: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        same = [_distribution(point), point.value]
        if same not in [[_distribution(other), other.value] for other in found.setdefault(point.name, [])]:
            found[point.name].append(point)
    return dict(sorted(found.items()))


def _allowed(
    offers: dict[str, list[importlib.metadata.EntryPoint]], allowed: Sequence[str] | None
) -> dict[str, list[importlib.metadata.EntryPoint]]:
    listed = os.environ.get("HARNESS_PLUGINS")
    if allowed is None:
        if listed is None:
            return offers
        allowed = [name.strip() for name in listed.split(",") if name.strip()]
    for name in allowed:
        if name not in offers:
            raise HarnessError.unknown(
                "installed plugin", name, offers, hint="HARNESS_PLUGINS lists plugin names"
            )
    return {name: points for name, points in offers.items() if name in allowed}


def _distribution(point: importlib.metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"


def _import_file(file: Path) -> ModuleType:
    name = f"{PLUGIN_FILE}{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up by name while it is being executed.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _load(plugins: Plugins, name: str, origin: str, load: Callable[[], ModuleType]) -> None:
    """Import and register one plugin; whatever goes wrong becomes its `problem`."""
    manager = plugins.manager
    try:
        if manager.has_plugin(name):
            raise HarnessError("a plugin of this name is loaded already")
        module = load()
        if manager.is_registered(module):
            raise HarnessError(f"the same module is loaded already, as {manager.get_name(module)}")
        manager.register(module, name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        plugins.found.append(PluginInfo(name, origin, problem=error_sentence(error)))
        return
    callers = manager.get_hookcallers(module) or []
    hooks = tuple(caller.name for caller in callers)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        manager.unregister(module)
        plugins.found.append(PluginInfo(name, origin, hooks, problem=error_sentence(error)))
        return
    problem = None if hooks else "answers no hook: is `@hookimpl` missing?"
    plugins.found.append(PluginInfo(name, origin, hooks, problem))


def _sign(answer: Any, implementation: pluggy.HookImpl) -> None:  # noqa: ANN401 - any answer
    """Note in a task which module brought it: how that makes the task is part of the task's code."""
    if isinstance(answer, Task):
        # Through `vars`, as a stranger's class may be frozen.
        vars(answer)["brought_by"] = getattr(implementation.plugin, "__name__", "")


def _blamed(answer: Any, implementation: pluggy.HookImpl, hook: str) -> Any:  # noqa: ANN401 - a kind or scheme
    """Let a kind or scheme name its plugin when its function raises, or answers what cannot be used.

    The function then raises HarnessError alone; one that it raised itself stays as it is.
    """
    what = hook.removeprefix("harness_").removesuffix("s").replace("_", " ")
    who, act = f"plugin {implementation.plugin_name}: {what} {answer.name!r}", _FUNCTIONS[hook]
    function = getattr(answer, act)

    def blaming(asked: Any) -> Any:  # noqa: ANN401 - what the function takes and gives
        try:
            given = function(asked)
            problem = model_error(given) if act == "locate" else answer_error(given, Task)
        except HarnessError:
            raise
        except (Exception, SystemExit) as error:
            raise HarnessError(f"{who} raised {error_sentence(error)}") from error
        if problem:
            raise HarnessError(f"{who} answers {problem}")
        _sign(given, implementation)
        return given

    return _ANSWERS[hook](name=answer.name, help=answer.help, **{act: blaming})


def all_tasks(plugins: Plugins, task_files: Iterable[Path]) -> dict[str, Task]:
    """All tasks: those of plugins, and those of task files.

    Raises HarnessError where a name is taken, or is a tag of other tasks.
    """
    from harness.tasks.selection import ambiguous
    from harness.tasks.task_file import read_task_file

    tasks = plugins.tasks()
    for file in task_files:
        for name, task in read_task_file(file, plugins.task_kinds()).items():
            if name in tasks:
                raise HarnessError(f"task {name!r} of {file} exists already", hint="give it another name")
            tasks[name] = task
        for name, others in ambiguous(tasks).items():
            raise HarnessError(
                f"{file}: task {name!r} has the name of a tag (of {', '.join(others)})",
                hint=f"--tasks {name} could mean either: rename one",
            )
    return tasks
