"""Find and load plugins; a broken one is reported, and the rest work."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pluggy

from harness.errors import Faults, HarnessError
from harness.models.interface import ModelScheme
from harness.plugins import hookspecs
from harness.plugins.validate import answer_error, model_error
from harness.system.code_hash.walk import PLUGIN_FILE
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.tasks.interface import Task, TaskKind, TaskScheme
from harness.tasks.selection import find_ambiguous_names
from harness.training.check_input import Check
from harness.training.interface import Trainer
from harness.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import ModuleType


GROUP = "harness"
"""Entry-point group under which a distribution registers its plugins."""

_KINDS: dict[str, type] = {
    "harness_tasks": Task,
    "harness_task_kinds": TaskKind,
    "harness_task_schemes": TaskScheme,
    "harness_model_schemes": ModelScheme,
    "harness_recipes": Recipe,
    "harness_trainers": Trainer,
    "harness_checks": Check,
}
"""Hook → the type of its answers."""

_FUNCTIONS = {
    "harness_task_kinds": "build",
    "harness_task_schemes": "resolve",
    "harness_model_schemes": "locate",
}
"""Hook → the attribute of its answers that is a function of the plugin."""

BUILT_IN = "harness.plugins.builtin"
"""Module of our own model schemes, which are a plugin too."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin as `harness list plugins` shows it."""

    name: str
    origin: str
    """Distribution and version, or the file."""
    hooks: tuple[str, ...] = ()
    """Hooks that it implements."""
    problem: str | None = None
    """Why it is not used; None if it is."""


@dataclass
class Plugins:
    """The loaded plugins and their answers."""

    manager: pluggy.PluginManager
    infos: list[PluginInfo] = field(default_factory=list)
    """Every plugin that was looked at, the broken ones included."""
    _collected: dict[str, dict[str, tuple[Any, str]]] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """One sentence for each plugin and each answer that cannot be used."""
        broken = [
            f"plugin {info.name} ({info.origin}): {info.problem}" for info in self.infos if info.problem
        ]
        return broken + self._problems

    def tasks(self) -> dict[str, Task]:
        """Return all tasks by name."""
        return self._answers("harness_tasks")

    def task_kinds(self) -> dict[str, TaskKind]:
        """Return all kinds that a task file may name."""
        return self._answers("harness_task_kinds")

    def task_schemes(self) -> dict[str, TaskScheme]:
        """Return all prefixes of task names."""
        return self._answers("harness_task_schemes")

    def model_schemes(self) -> dict[str, ModelScheme]:
        """Return all model schemes by name."""
        return self._answers("harness_model_schemes")

    def recipes(self) -> dict[str, Recipe]:
        """Return all recipes by name."""
        return self._answers("harness_recipes")

    def trainers(self) -> dict[str, Trainer]:
        """Return all trainers by name."""
        return self._answers("harness_trainers")

    def checks(self) -> dict[str, Check]:
        """Return all checks by name."""
        return self._answers("harness_checks")

    def origin(self, hook: str, name: str) -> str:
        """Return the name of the plugin that answered `hook` with `name`."""
        return self._collect(hook)[name][1]

    def _answers(self, hook: str) -> dict[str, Any]:
        """Return a hook's answers by name, of the kind that `_KINDS` has for it, in a new dict."""
        return {name: answer for name, (answer, _) in self._collect(hook).items()}

    def _collect(self, hook: str) -> dict[str, tuple[Any, str]]:
        """Call a hook once in every plugin; return its answers by unique name, with each one's plugin."""
        if hook not in self._collected:
            offers: dict[str, list[tuple[Any, str]]] = {}
            for implementation in getattr(self.manager.hook, hook).get_hookimpls():
                for name, answer in self._call(implementation, hook):
                    offers.setdefault(name, []).append((answer, implementation.plugin_name))
            for name, same_named in offers.items():
                if len(same_named) > 1:
                    plugins = " and ".join(plugin for _, plugin in same_named)
                    self._problems.append(f"{name!r} is provided by {plugins}: none of them is used ({hook})")
            unique = {name: same_named[0] for name, same_named in offers.items() if len(same_named) == 1}
            if hook == "harness_tasks":
                self._drop_ambiguous(unique)
            self._collected[hook] = unique
        return self._collected[hook]

    def _drop_ambiguous(self, tasks: dict[str, tuple[Task, str]]) -> None:
        """Drop tasks that would hide the tasks with a tag of their name."""
        for name, others in find_ambiguous_names({name: task for name, (task, _) in tasks.items()}).items():
            _, plugin = tasks.pop(name)
            tag = f"has the name of a tag (of {', '.join(others)})"
            self._problems.append(f"plugin {plugin}: task {name!r} {tag}: it is not used")

    def _call(self, implementation: pluggy.HookImpl, hook: str) -> Iterable[tuple[str, Any]]:
        """Call one plugin's hook; yield the usable answers with their names, and note the others."""
        plugin = implementation.plugin_name
        try:
            with plugin_code():
                answers: list[Any] = list(implementation.function())  # type: ignore[call-overload]
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            self._problems.append(f"plugin {plugin}: {hook} raised {error_sentence(error)}")
            return
        for answer in answers:
            if problem := answer_error(answer, _KINDS[hook]):
                self._problems.append(f"plugin {plugin}: {hook} answers {problem}")
                continue
            _set_brought_by(answer, implementation)
            usable = _naming_plugin(answer, implementation, hook) if hook in _FUNCTIONS else answer
            yield answer.name, usable


def load_plugins(files: Sequence[Path] = (), allowed: Sequence[str] | None = None) -> Plugins:
    """Load the built-in plugin, the installed ones (entry-point group `harness`), and single files.

    allowed: names of the installed plugins to load; None for those in the environment variable
    HARNESS_PLUGINS (separated by commas), or all if it is not set.
    Raises HarnessError for an allowed name that is not installed, and for a missing file.
    """
    manager = pluggy.PluginManager("harness")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager)
    _load(plugins, "builtin", "harness", partial(importlib.import_module, BUILT_IN))
    offers = _filter_allowed(_entry_points(), allowed)
    for name, points in offers.items():
        origin = " and ".join(_distribution(point) for point in points)
        if len(points) > 1:
            problem = f"{len(points)} distributions provide a plugin of this name: none of them is loaded"
            plugins.infos.append(PluginInfo(name, origin, problem=problem))
        else:
            _load(plugins, name, origin, points[0].load)
    for file in files:
        if not file.is_file():
            raise HarnessError(f"no plugin file {file}", hint="--plugin takes a single Python file")
        _load(plugins, file.stem, str(file), partial(_import_file, file))
    return plugins


def _entry_points() -> dict[str, list[importlib.metadata.EntryPoint]]:
    """Return the entry points of our group by name; a distribution twice on the path counts once."""
    by_name: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        same_named = by_name.setdefault(point.name, [])
        known = [(_distribution(other), other.value) for other in same_named]
        if (_distribution(point), point.value) not in known:
            same_named.append(point)
    return dict(sorted(by_name.items()))


def _filter_allowed(
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
    """Import and register one plugin; an error becomes its `problem`."""
    manager = plugins.manager
    try:
        if manager.has_plugin(name):
            raise HarnessError("a plugin of this name is loaded already")
        with plugin_code():
            module = load()
            if manager.is_registered(module):
                raise HarnessError(f"the same module is loaded already, as {manager.get_name(module)}")
            manager.register(module, name)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        plugins.infos.append(PluginInfo(name, origin, problem=error_sentence(error)))
        return
    callers = manager.get_hookcallers(module) or []
    hooks = tuple(caller.name for caller in callers)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        manager.unregister(module)
        plugins.infos.append(PluginInfo(name, origin, hooks, problem=error_sentence(error)))
        return
    problem = None if hooks else "implements no hook: is `@hookimpl` missing?"
    plugins.infos.append(PluginInfo(name, origin, hooks, problem))


def _set_brought_by(answer: Any, implementation: pluggy.HookImpl) -> None:  # noqa: ANN401 - any answer
    """Set a task's `brought_by`: the module that makes a task is part of the task's code."""
    if isinstance(answer, Task):
        # Through `vars`, as a plugin's class may be frozen.
        vars(answer)["brought_by"] = getattr(implementation.plugin, "__name__", "")


def _naming_plugin(answer: Any, implementation: pluggy.HookImpl, hook: str) -> Any:  # noqa: ANN401
    """Return a copy of a kind or scheme whose function names the plugin in its errors.

    The function raises HarnessError for any exception and for a result that cannot be used; a HarnessError
    of its own stays as it is.
    """
    hook_noun = hook.removeprefix("harness_").removesuffix("s").replace("_", " ")
    subject = f"plugin {implementation.plugin_name}: {hook_noun} {answer.name!r}"
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
            raise HarnessError(f"{subject} raised {error_sentence(error)}") from raised_by(error)
        if problem:
            raise HarnessError(f"{subject} answers {problem}")
        _set_brought_by(result, implementation)
        return result

    return replace(answer, **{attribute: call})


def all_tasks(plugins: Plugins, task_files: Iterable[Path]) -> dict[str, Task]:
    """Return the tasks of plugins and of task files, by name.

    Raises HarnessError for every task of a file that cannot be made, and every name that is taken or is a tag
    of other tasks.
    """
    from harness.tasks.task_file import read_task_file

    tasks, faults = plugins.tasks(), Faults()
    for file in task_files:
        own: dict[str, Task] = {}
        with faults.collect():
            own = read_task_file(file, plugins.task_kinds())
        for name in own.keys() & tasks.keys():
            faults.add(HarnessError(f"task {name!r} of {file} exists already", hint="give it another name"))
        tasks |= own
        for name, others in find_ambiguous_names(tasks).items():
            faults.add(
                HarnessError(
                    f"{file}: task {name!r} has the name of a tag (of {', '.join(others)})",
                    hint=f"--tasks {name} could mean either: rename one",
                )
            )
    faults.refuse()
    return tasks
