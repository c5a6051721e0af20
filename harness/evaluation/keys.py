"""The key of a record: a hash of everything that a result depends on, and of nothing else.

| part | what it is |
|---|---|
| model | its fingerprint: the files that its embeddings depend on |
| settings | how it is used, as the user set it |
| examination | task, version and hash of its code; split, source and digest of the rows, limit |
| scoring | the modules of ours that turn rows and texts into scores |
| trained on | the digest of a candidate's training texts, for the findings that a record holds of them |

Code is hashed by its meaning (`code_hash`): comments, docstrings and layout change no key, a changed
computation changes it wherever it is. A task's code is every module that its own module and its metrics
reach; other distributions among them count by name and version. Not in a key are our own version, which
changes no score, and the libraries that each record names (`environment.LIBRARIES`): they move scores by
rounding, and `harness compare` notes that they differ. A library whose metric or base class a task uses does
count, by version.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.models.interface import changed_settings
from harness.results.code_changes import OPTIONS, OWN
from harness.system.code_hash import walk
from harness.system.code_hash.form import form_of
from harness.system.code_hash.objects import object_digest
from harness.system.environment import LIBRARIES
from harness.system.paths import user_path
from harness.training.contamination import TrainingTexts, read_training_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.encoding.cached_model import CachedModel
    from harness.models.interface import LocatedModel
    from harness.results.records import Examination
    from harness.tasks.interface import Task

_SCORING = ("evaluation.evaluate", "models.lexical", "models.sentence_transformer", "tasks.dataset")
"""Modules that scores come from, besides the packages below; the modules that these reach count too."""

_SCORING_PACKAGES = ("metrics", "models.backends")
"""Packages of which every module counts: a plugin may take one, or a name imports it."""

_MOVES_NO_SCORE = {
    "encoding.cache_key": "names files of the embedding cache",
    "errors": "words of errors",
    "evaluation.keys": "makes keys",
    "models.fingerprint": "is in the key by what it returns",
    "models.locate": "finds models, which count by the hash of their files",
    "models.trust": "refuses models",
    "plugins": "finds plugins and models, which count by their content",
    "results": "holds what was computed",
    "system": "describes the machine, names files, refuses what is too large",
    "tasks.hub": "finds data sets, which count by the digest of their rows",
    "tasks.readers": "reads rows, which count by their digest",
    "training": "findings next to a score; what a candidate was trained on counts by its digest",
}
"""Modules and packages of ours that do not count, and why; any other that scoring reaches does."""

_PACKAGES = frozenset({"harness", "sklearn", *(name.replace("-", "_") for name in LIBRARIES)})
"""Packages that a task's code may import and that do not count as part of it."""
_SHORT = 8
"""Digits of a hash that a record shows."""


def record_key(located: LocatedModel | CachedModel, examination: Examination) -> str:
    """Hash everything that a result depends on: model, settings, task, rows, limit, and code."""
    parts = {
        "model": located.fingerprint,
        "settings": changed_settings(located.spec.settings),
        "examination": asdict(replace(examination, hub="")),
        "scoring": scoring_hash(),
    }
    trained = training_of(located)
    if trained is not None:
        parts["trained on"] = trained.digest
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def training_of(located: LocatedModel | CachedModel) -> TrainingTexts | None:
    """Read what a candidate was trained on; None for a model that is not a folder or has no lineage."""
    spec = located.spec
    return read_training_texts(user_path(spec.location)) if spec.scheme == "folder" else None


def source_hash(task: Task) -> str:
    """Hash a task's code and options: what defines it besides its rows."""
    return walk.digest(task_code(task))


def task_code(task: Task) -> dict[str, str]:
    """Map each module that a task's code reaches to its hash, each other distribution to its version.

    The walk starts at the modules of its class, of the classes above it and of its metrics, and at the
    plugin's that brought it.
    """
    owners = [str(name) for name in (type(task).__module__, task.brought_by) if name]
    functions = [function for metric in task.metrics for function in (metric.compute, metric.resample)]
    roots = [
        *owners,
        *(str(kind.__module__) for kind in type(task).__mro__),
        *(_module_of(function) for function in functions if function is not None),
    ]
    # A library whose class or function the task is made of counts; one that it only imports is noted.
    left_out = _PACKAGES - {name.partition(".")[0] for name in roots} | {"harness"}
    hashes = walk.reachable_code(roots, walk.plugin_boundary(owners, left_out))
    for owner in (*type(task).__mro__, *functions):
        # A module that was loaded by path and is in no table of modules.
        name = _module_of(owner)
        file = _file_of(owner)
        if file is not None and hashes.get(name) == walk.MISSING:
            hashes[name] = form_of(file.read_bytes()).digest
        elif file is None and (name == "__main__" or hashes.get(name) == walk.MISSING):
            # A notebook's cell, or what was typed.
            hashes[f"{name} {getattr(owner, '__qualname__', '')}"] = object_digest(owner)
    if task.options:
        options = json.dumps(_canonical(dict(task.options)))
        hashes[OPTIONS] = hashlib.sha256(options.encode()).hexdigest()
    return hashes


def _file_of(owner: Any) -> Path | None:  # noqa: ANN401 - a class or any callable
    """Return the file that a class's or a function's code is from; None where that is not known."""
    functions = [owner, *vars(owner).values()] if isinstance(owner, type) else [owner]
    codes = (getattr(function, "__code__", None) for function in functions)
    files = (Path(code.co_filename) for code in codes if code is not None)
    return next((file for file in files if file.is_file()), None)


def _canonical(value: Any) -> Any:  # noqa: ANN401 - any option
    """Return plain data whose JSON does not depend on hash seeds, addresses or the order of keys."""
    if isinstance(value, dict):
        return sorted([str(key), _canonical(inner)] for key, inner in value.items())
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(_canonical(inner)) for inner in value)
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return re.sub(r" at 0x[0-9a-fA-F]+", "", str(value))


def _module_of(function: Any) -> str:  # noqa: ANN401 - any callable
    """Return the module whose code a function runs; for a callable object, its class's."""
    while isinstance(function, partial):
        function = function.func
    module = getattr(function, "__module__", None)
    return module if isinstance(module, str) else type(function).__module__


def scoring_hash() -> str:
    """Hash the modules of ours that turn rows and texts into scores: a change in them recomputes records."""
    return walk.digest(scoring_code())


@cache
def scoring_code() -> Mapping[str, str]:
    """Map each module of ours that can move a score to its hash."""
    roots = [f"{OWN}{name}" for name in _SCORING]
    for package in _SCORING_PACKAGES:
        folders = importlib.import_module(f"{OWN}{package}").__path__
        roots += [f"{OWN}{package}.{module.name}" for module in pkgutil.iter_modules(folders)]
    return walk.reachable_code(roots, _scoring, computed=False)


def _scoring(name: str) -> Mapping[str, str] | None:
    """Say where the walk stops: at other packages, and at modules of ours that move no score."""
    own = name.removeprefix(OWN)
    parts = own.split(".")
    packages = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return None if name.startswith(OWN) and not packages & _MOVES_NO_SCORE.keys() else {}


def code_summary(task: Mapping[str, str]) -> dict[str, str]:
    """Return what a record shows of a task's code and ours: modules → first digits of their hashes."""
    hashes = {**scoring_code(), **task}
    return {
        name: part if name.startswith(walk.DISTRIBUTION) else part[:_SHORT]
        for name, part in sorted(hashes.items())
    }
