"""All modules that code reaches by its imports, each with the hash of its meaning; none is executed.

Imports count wherever they are written, in functions and `try` blocks too. A package on the way to a module
counts, as importing the module runs it. What cannot be seen: code that is made while it runs (`exec`), and
another package's module that is imported by a computed name.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.system.code_hash.form import COMPUTED, Import, form_of, hash_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    Boundary = Callable[[str], Mapping[str, str] | None]
    """Takes a module's name: None where its code counts, else what counts in its place, perhaps nothing."""

DISTRIBUTION = "distribution "
"""Stands before the name of a distribution that counts by its version: no module's name has a space."""
PLUGIN_FILE = "harness_file_"
"""Stands before the name of a single-file plugin where it is imported as a module."""
_MISSING, _NAMESPACE, _UNREADABLE = "missing", "namespace", "no source"


@dataclass(frozen=True, slots=True)
class _Location:
    """Where a module is."""

    file: Path | None
    """None for a namespace package, and for what never was in a file."""
    search: tuple[str, ...] = ()
    """Folders of its submodules; empty for what is no package."""


def digest(parts: Mapping[str, str]) -> str:
    """Hex SHA-256 of names and what each counts by, whatever their order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def reachable_code(roots: Iterable[str], boundary: Boundary, *, computed: bool = True) -> dict[str, str]:
    """Map every module that is reached from `roots` to the hash of its meaning, sorted by name.

    A module whose source cannot be read counts by its bytes (a compiled one) or by one word.
    computed: whether an import of a computed name reaches all modules of its top-level package.
    """
    walk = _Walk(boundary, computed)
    walk.todo += [(Import(0, name), "") for name in roots]
    while walk.todo:
        walk.follow(*walk.todo.pop())
    return dict(sorted(walk.found.items()))


def plugin_boundary(owners: Collection[str], left_out: Collection[str]) -> Boundary:
    """Make the boundary of a plugin's code, by top-level package.

    left_out: packages that do not count; the standard library never does. What another installed
    distribution brings counts by its version. All else is code of the plugin: its own package, other packages
    of its distribution, files beside it, editable installs.
    """
    own = {_top(name) for name in owners}

    @cache
    def judged(top: str) -> dict[str, str] | None:
        if top in own:
            return None
        if top in left_out or _is_standard(top):
            return {}
        names = _distributions_of(top)
        if not names or names & {name for mine in own for name in _distributions_of(mine)}:
            return None
        return {f"{DISTRIBUTION}{name}": importlib.metadata.version(name) for name in names}

    return lambda name: judged(_top(name))


@dataclass
class _Walk:
    """What was found so far, and the imports that are still to be followed, with the module each is in."""

    boundary: Boundary
    computed: bool
    found: dict[str, str] = field(default_factory=dict)
    todo: list[tuple[Import, str]] = field(default_factory=list)
    _places: dict[str, _Location] = field(default_factory=dict)

    def follow(self, one: Import, within: str) -> None:
        """Visit the modules that an import runs."""
        if one == COMPUTED:
            self._visit_all(_top(within))
            return
        place = self._places.get(within)
        near = place.file.parent if place and place.file else None
        name = _absolute(one, within, is_package=bool(place and place.search))
        parts = name.split(".") if name else []
        for count in range(1, len(parts) + 1):
            self._visit(".".join(parts[:count]), near)
        submodule = f"{name}.{one.name}"
        # What is taken from a package is often no module, and then part of one that is counted.
        if parts and one.name and self.boundary(submodule) is None and self._place(submodule, near):
            self._visit(submodule, near)

    def _visit_all(self, package: str) -> None:
        """Visit all that an import of a computed name may mean; another package's modules cannot be known."""
        place = self._places.get(package)
        for folder in place.search if place and self.computed else ():
            for path in sorted(Path(folder).rglob("*.py")):
                parts = path.relative_to(folder).with_suffix("").parts
                self._visit(".".join([package, *(part for part in parts if part != "__init__")]), None)

    def _visit(self, name: str, near: Path | None) -> None:
        stand_in = self.boundary(name)
        if stand_in is not None:
            self.found |= stand_in
        elif self.found.get(name, _MISSING) == _MISSING:
            place = self._place(name, near)
            self.found[name], imports = _counted(place) if place else (_MISSING, ())
            self.todo += [(one, name) for one in imports]

    def _place(self, name: str, near: Path | None) -> _Location | None:
        """Find a module where an import would, else beside the file that imports it; None if nowhere."""
        if name not in self._places:
            place = _loaded(name)
            above = name.rpartition(".")[0]
            if place is None and above:
                package = self._place(above, near)
                place = _find(name, package.search) if package else None
            elif place is None:
                # A plugin may add its own folder to the path when it is called.
                place = _find(name) or (_find(name, (str(near),)) if near else None)
            if place is None:
                return None
            self._places[name] = place
        return self._places[name]


def _counted(place: _Location) -> tuple[str, tuple[Import, ...]]:
    """What a module counts by, and what it imports."""
    if place.file is None:
        return (_NAMESPACE if place.search else _UNREADABLE), ()
    try:
        content = place.file.read_bytes()
    except OSError:
        return _UNREADABLE, ()
    return form_of(content) if place.file.suffix == ".py" else (hash_bytes(content), ())


def _loaded(name: str) -> _Location | None:
    """Where a module that is loaded came from; None for one that is not."""
    module = sys.modules.get(name)
    if module is None:
        return None
    file = getattr(module, "__file__", None)
    search = tuple(str(folder) for folder in getattr(module, "__path__", ()))
    return _Location(Path(file) if isinstance(file, str) else None, search)


def _find(name: str, folders: Sequence[str] | None = None) -> _Location | None:
    """Find a module as an import would, but import nothing, not even its package.

    folders: the package's; None for the path.
    """
    if folders is not None and not folders:
        return None
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, folders)
        except (ImportError, AttributeError, ValueError, KeyError, OSError):
            continue  # a stranger's finder
        if spec is None:
            continue
        if spec.has_location and spec.origin:
            return _Location(Path(spec.origin), tuple(spec.submodule_search_locations or ()))
        # The folders of a namespace package cannot be asked for while the package above it is not loaded.
        last = name.rpartition(".")[2]
        below = [Path(folder, last) for folder in (sys.path if folders is None else folders)]
        return _Location(None, tuple(str(folder) for folder in below if folder.is_dir()))
    return None


def _absolute(one: Import, within: str, *, is_package: bool) -> str:
    """Name the module of an import; empty where a relative one leads nowhere."""
    if not one.level:
        return one.module
    parts = within.split(".") if is_package else within.split(".")[:-1]
    base = parts[: len(parts) - one.level + 1]
    return ".".join([*base, *([one.module] if one.module else [])]) if base else ""


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_standard(top: str) -> bool:
    """Whether a top-level module is the standard library's, and not a file of that name elsewhere."""
    if top not in sys.stdlib_module_names:
        return False
    place = _loaded(top) or _find(top)
    library = Path(os.__file__).parent
    return place is None or place.file is None or place.file.is_relative_to(library)


def _distributions_of(top: str) -> frozenset[str]:
    """Name the distributions that installed a top-level package; none for code that lies elsewhere.

    Asked of its place first: to ask all installed distributions takes 0.1 s for a hundred.
    """
    place = _loaded(top) or _find(top)
    if place is None:
        return frozenset()
    inside = [Path(folder) for folder in place.search] or ([place.file] if place.file else [])
    if not any(_has_distributions(path.parent) for path in inside):
        return frozenset()
    return frozenset(_distributions().get(top, ()))


@cache
def _has_distributions(folder: Path) -> bool:
    """Whether distributions are installed in a folder: `site-packages`, whatever it is called."""
    return next(folder.glob("*.dist-info"), None) is not None


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()
