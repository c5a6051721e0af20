"""Modules of plugins: where they come from, how a single file is imported, and how they declare hooks."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, nearest
from harness.plugins import hookspecs
from harness.system.code_hash.walk import PLUGIN_FILE
from harness.system.source_place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

GROUP = "harness"
"""Entry-point group under which a distribution registers its plugins."""

HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, "harness_spec"))
"""Names of all hooks."""

TOLD: dict[str, tuple[str, ...]] = {"harness_record": ("record", "outcome", "folder")}
"""Hook that is told something, and asked nothing → its arguments, of which it may declare some."""


def entry_points(allowed: Sequence[str] | None) -> dict[str, list[importlib.metadata.EntryPoint]]:
    """Return the entry points of installed plugins by name; a distribution twice on the path counts once.

    allowed: names; None for those in the environment variable HARNESS_PLUGINS, or all if it is not set.
    Raises HarnessError for an allowed name that is not installed.
    """
    by_name: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        same_named = by_name.setdefault(point.name, [])
        known = [(distribution_of(other), other.value) for other in same_named]
        if (distribution_of(point), point.value) not in known:
            same_named.append(point)
    return _filter_allowed(dict(sorted(by_name.items())), allowed)


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


def distribution_of(point: importlib.metadata.EntryPoint) -> str:
    """Return the name and version of an entry point's distribution."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"


def existing_files(files: Sequence[Path]) -> list[Path]:
    """Return single-file plugins, each once; raises HarnessError that names all that are not there."""
    missing = [str(file) for file in dict.fromkeys(files) if not file.is_file()]
    if missing:
        raise HarnessError(f"no plugin file {', '.join(missing)}", hint="--plugin takes a single Python file")
    return list({file.resolve(): file for file in reversed(files)}.values())[::-1]


def import_file(file: Path) -> ModuleType:
    """Import a single-file plugin under a module name of its own."""
    name = f"{PLUGIN_FILE}{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file: its name does not end in .py")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up by name while it is being executed.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def hook_faults(module: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - an entry point may name any object
    """Return what is wrong with a plugin's hooks: (sentence, place) each; what its attributes raise passes.

    A hook without its mark, of another name or with arguments is never asked: its author would look for a
    task that does not exist.
    """
    faults = []
    for name, function in _functions(module):
        mark = getattr(function, "harness_impl", None)
        if mark is None:
            own = getattr(function, "__module__", "") == getattr(module, "__name__", None)
            if name in HOOKS and own:
                faults.append(
                    (f"{name} is not marked as a hook: write @hookimpl above it", place_of(function))
                )
            continue
        hook = mark.get("specname") or name
        if hook not in HOOKS:
            faults.append((f"unknown hook {hook!r}: {_known_hooks(hook)}", place_of(function)))
        elif unknown := [wanted for wanted in _arguments(function) if wanted not in TOLD.get(hook, ())]:
            given = (
                f"it gets {', '.join(TOLD[hook])}" if hook in TOLD else "hooks are asked without arguments"
            )
            faults.append((f"{name} declares {', '.join(unknown)}: {given}", place_of(function)))
    return faults


def missing_hooks(module: Any) -> str | None:  # noqa: ANN401 - as above
    """Return the fault of a plugin that implements no hook; None for another."""
    functions = list(_functions(module))
    if any(getattr(function, "harness_impl", None) is not None for _, function in functions):
        return None
    unlike = [name for name, _ in functions if name.startswith("harness_")]
    near = f" ({', '.join(unlike)} is not a hook)" if unlike else ""
    return f"implements no hook: is `@hookimpl` missing?{near} Hooks are {', '.join(HOOKS)}"


def defines_classes(module: ModuleType) -> bool:
    """Whether a module defines a class itself, rather than importing it."""
    return any(
        isinstance(value, type) and value.__module__ == module.__name__ for value in vars(module).values()
    )


def _functions(module: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - as above
    for name in dir(module):
        value = getattr(module, name, None)
        if inspect.isroutine(value):
            yield name, value


def _known_hooks(name: str) -> str:
    near = nearest(name, HOOKS, most=1)
    return f"did you mean {near[0]}?" if near else f"hooks are {', '.join(HOOKS)}"


def _arguments(function: Any) -> list[str]:  # noqa: ANN401 - a function of a plugin
    """Return the arguments without a default that a function declares."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty and parameter.kind not in kinds
    ]
