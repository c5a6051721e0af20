"""Find and load plugins; an installed one that is broken is reported, and the rest work."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pluggy

from harness.errors import HarnessError
from harness.plugins import hookspecs
from harness.plugins.calls import KINDS, call_hook, tell
from harness.plugins.foreign_tasks import find_foreign_tasks
from harness.plugins.modules import (
    defines_classes,
    distribution_of,
    entry_points,
    existing_files,
    hook_faults,
    import_file,
    missing_hooks,
)
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.system.source_place import innermost_file, place_of_error
from harness.tasks.selection import find_ambiguous_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    import click

    from harness.models.interface import ModelScheme
    from harness.plugins.executor import Executor
    from harness.plugins.report_writer import ReportWriter
    from harness.plugins.tracker import Tracker
    from harness.tasks.interface import Task, TaskKind, TaskScheme
    from harness.training.check_input import Check
    from harness.training.interface import Trainer
    from harness.training.recipe import Recipe


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
    file: bool = False
    """Whether it is a single file that the user named."""


@dataclass
class Plugins:
    """The loaded plugins and their answers."""

    manager: pluggy.PluginManager
    infos: list[PluginInfo] = field(default_factory=list)
    """Every plugin that was looked at, the broken ones included."""
    report: Callable[[str], None] | None = None
    """Gets a sentence for each fault of an installed plugin as soon as it is known."""
    problems: list[str] = field(default_factory=list)
    """One sentence for each fault of a plugin or of its answers, as far as hooks were asked."""
    _of_files: list[str] = field(default_factory=list)
    """Those of `problems` in which a single file has a part."""
    _foreign: list[tuple[Task, str]] = field(default_factory=list)
    """Tasks that a single file defines in terms of another library, with the name of the file's plugin."""
    _collected: dict[str, dict[str, tuple[Any, str]]] = field(default_factory=dict)

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

    def trackers(self) -> dict[str, Tracker]:
        """Return all trackers by name."""
        return self._answers("harness_trackers")

    def executors(self) -> dict[str, Executor]:
        """Return all executors by name."""
        return self._answers("harness_executors")

    def reports(self) -> dict[str, ReportWriter]:
        """Return all writers of reports by name."""
        return self._answers("harness_reports")

    def commands(self) -> dict[str, click.Command]:
        """Return all commands by name."""
        return self._answers("harness_commands")

    def is_told(self, hook: str) -> bool:
        """Whether any plugin wants to be told what `hook` tells."""
        return bool(getattr(self.manager.hook, hook).get_hookimpls())

    def tell(self, hook: str, arguments: Mapping[str, Any], note: Callable[[str], None]) -> None:
        """Tell every plugin that has the hook; note gets a sentence for each that raised."""
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            subject = partial(self._subject, implementation.plugin_name)
            tell(implementation, hook, arguments, partial(_note_with, subject, note))

    def origin(self, hook: str, name: str) -> str:
        """Return the name of the plugin that answered `hook` with `name`."""
        return self._collect(hook)[name][1]

    def refuse_broken_files(self) -> None:
        """Ask single files all hooks that they implement; raise one HarnessError for all their faults.

        The user named them, so nothing is right without them; of an installed plugin, only the rest is used.
        """
        hooks = dict.fromkeys(hook for info in self.infos if info.file for hook in info.hooks)
        for hook in filter(KINDS.__contains__, hooks):
            self._collect(hook)
        if self._foreign:
            self._collect("harness_tasks")
        if not self._of_files:
            return
        count = len(self._of_files)
        raise HarnessError(
            self._of_files[0] if count == 1 else f"{count} things are wrong with plugins",
            exists=None if count == 1 else "\n".join(self._of_files),
            hint="mend the file, or leave it out (--plugin, or `plugins` in harness.toml): docs/plugins.md",
        )

    def note(self, sentence: str, *, of_file: bool = False) -> None:
        """Add a fault to `problems`; one that is of no single file is reported."""
        self.problems.append(sentence)
        if of_file:
            self._of_files.append(sentence)
        elif self.report is not None:
            self.report(sentence)

    def find_foreign_tasks(self) -> None:
        """Look for tasks of other libraries in single files; refuse a file with neither these nor a hook."""
        for info in [info for info in self.infos if info.file and not info.problem]:
            module = self.manager.get_plugin(info.name)
            if module is None:
                continue
            schemes = self.task_schemes().values() if defines_classes(module) else ()
            tasks, faults = find_foreign_tasks(module, schemes)
            self._foreign += [(task, info.name) for task in tasks]
            if not (tasks or faults) and (missing := missing_hooks(module)):
                faults = [(missing, "")]
            if faults:
                self.infos.remove(info)
                self.manager.unregister(module)
                _refuse(self, info, faults)

    def _answers(self, hook: str) -> dict[str, Any]:
        """Return a hook's answers by name, of the kind that the hook wants, in a new dict."""
        return {name: answer for name, (answer, _) in self._collect(hook).items()}

    def _collect(self, hook: str) -> dict[str, tuple[Any, str]]:
        """Call a hook once in every plugin; return its answers by unique name, with each one's plugin."""
        if hook not in self._collected:
            offers: dict[str, list[tuple[Any, str]]] = {}
            for implementation in getattr(self.manager.hook, hook).get_hookimpls():
                plugin = implementation.plugin_name
                subject = partial(self._subject, plugin)
                for name, answer in call_hook(implementation, hook, subject, partial(self._note_of, plugin)):
                    offers.setdefault(name, []).append((answer, plugin))
            if hook == "harness_tasks":
                for task, plugin in self._foreign:
                    offers.setdefault(task.name, []).append((task, plugin))
            for name, same_named in offers.items():
                if len(same_named) > 1:
                    self._note_repeated(name, [plugin for _, plugin in same_named], hook)
            unique = {name: same_named[0] for name, same_named in offers.items() if len(same_named) == 1}
            if hook == "harness_tasks":
                self._drop_ambiguous(unique)
            self._collected[hook] = unique
        return self._collected[hook]

    def _drop_ambiguous(self, tasks: dict[str, tuple[Task, str]]) -> None:
        """Drop tasks that would hide the tasks with a tag of their name."""
        for name, others in find_ambiguous_names({name: task for name, (task, _) in tasks.items()}).items():
            _, plugin = tasks.pop(name)
            plugins = [plugin, *(tasks[other][1] for other in others if other in tasks)]
            self.note(
                f"{self._subject(plugin)}: task {name!r} has the name of a tag (of {', '.join(others)}):"
                " it is not used; rename it",
                of_file=any(self._info(one).file for one in plugins),
            )

    def _note_repeated(self, name: str, plugins: Sequence[str], hook: str) -> None:
        origins = " and ".join(f"{plugin} ({self._info(plugin).origin})" for plugin in plugins)
        self.note(
            f"{name!r} is provided by {origins}: none of them is used ({hook}); rename one",
            of_file=any(self._info(plugin).file for plugin in plugins),
        )

    def _note_of(self, plugin: str, sentence: str, place: str) -> None:
        self.note(f"{self._subject(plugin, place)}: {sentence}", of_file=self._info(plugin).file)

    def _info(self, plugin: str) -> PluginInfo:
        """Return the information on a registered plugin."""
        return next(info for info in self.infos if info.name == plugin)

    def _subject(self, plugin: str, place: str = "") -> str:
        return _subject(self._info(plugin), place)


def load_plugins(
    files: Sequence[Path] = (),
    allowed: Sequence[str] | None = None,
    report: Callable[[str], None] | None = None,
) -> Plugins:
    """Load the built-in plugin, the installed ones (entry-point group `harness`), and single files.

    allowed: names of the installed plugins to load; None for those in the environment variable
    HARNESS_PLUGINS (separated by commas), or all if it is not set.
    report: see `Plugins.report`. Faults of single files are raised by `Plugins.refuse_broken_files`.
    Raises HarnessError for an allowed name that is not installed, and for a missing file.
    """
    manager = pluggy.PluginManager("harness")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager, report=report)
    _load(plugins, PluginInfo("builtin", "harness"), partial(importlib.import_module, BUILT_IN))
    for name, points in entry_points(allowed).items():
        info = PluginInfo(name, " and ".join(distribution_of(point) for point in points))
        if len(points) > 1:
            problem = f"{len(points)} distributions provide a plugin of this name: none of them is loaded"
            _refuse(plugins, info, [(problem, "")])
        else:
            _load(plugins, info, points[0].load)
    for file in existing_files(files):
        _load(plugins, PluginInfo(file.stem, str(file), file=True), partial(import_file, file))
    plugins.find_foreign_tasks()
    return plugins


def _load(plugins: Plugins, info: PluginInfo, load: Callable[[], ModuleType]) -> None:
    """Import and register one plugin; a fault becomes its `problem`."""
    manager = plugins.manager
    module: Any = None
    try:
        if manager.has_plugin(info.name):
            raise HarnessError("a plugin of this name is loaded already: rename it")
        with plugin_code():
            module = load()
            if manager.is_registered(module):
                raise HarnessError(f"the same module is loaded already, as {manager.get_name(module)}")
            faults = hook_faults(module)
            # A file may also define tasks of another library, which is known when all are loaded.
            if not (faults or info.file) and (missing := missing_hooks(module)):
                faults = [(missing, "")]
            if not faults:
                manager.register(module, info.name)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        _refuse(plugins, info, [_import_fault(error, info)])
        return
    if faults:
        _refuse(plugins, info, faults)
        return
    callers = manager.get_hookcallers(module) or []
    plugins.infos.append(replace(info, hooks=tuple(caller.name for caller in callers)))


def _refuse(plugins: Plugins, info: PluginInfo, faults: Sequence[tuple[str, str]]) -> None:
    """Note that a plugin is not used, with one sentence for each (fault, place)."""
    plugins.infos.append(replace(info, problem="; ".join(sentence for sentence, _ in faults)))
    for sentence, place in faults:
        plugins.note(f"{_subject(info, place)}: {sentence}", of_file=info.file)


def _import_fault(error: Exception, info: PluginInfo) -> tuple[str, str]:
    """Return the sentence and the place of what importing a plugin raised."""
    raised = raised_by(error)
    # Of an installed plugin only the traceback knows the file.
    place = place_of_error(raised, info.origin if info.file else innermost_file(raised))
    if isinstance(raised, SyntaxError) and place:
        return f"SyntaxError: {raised.msg}", place
    return error_sentence(error), place


def _note_with(subject: Callable[[str], str], note: Callable[[str], None], sentence: str, place: str) -> None:
    note(f"{subject(place)}: {sentence}")


def _subject(info: PluginInfo, place: str = "") -> str:
    """Return what a sentence calls a plugin: `plugin topics (topics.py, line 3)`."""
    where = (place or info.origin) if info.file else ", ".join(filter(None, (info.origin, place)))
    return f"plugin {info.name} ({where})"
