"""All modules that code reaches by its imports, each with the hash of its meaning; none is executed.

Imports count wherever they are written, in functions and `try` blocks too. A package on the way to a module
counts, as importing the module runs it. Not seen: code that is generated at run time (`exec`), and modules of
other packages that are imported by a computed name.
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

from harness.system.code_hash.form import COMPUTED, Form, Import, form_of, hash_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    Boundary = Callable[[str], Mapping[str, str] | None]
    """Takes a module's name; returns None if its code counts, else what counts instead, perhaps nothing."""

DISTRIBUTION = "distribution "
"""Prefix of a distribution that counts by its version; a module's name never has a space."""
PLUGIN_FILE = "harness_file_"
"""Prefix of the module name of a single-file plugin."""
_CORE = __name__.partition(".")[0]
"""Our own package: its scoring code is hashed apart."""
MISSING, _NAMESPACE, _UNREADABLE = "missing", "namespace", "no source"


@dataclass(frozen=True, slots=True)
class _Location:
    """Where a module is."""

    file: Path | None
    """None for a namespace package, and for a module that is not from a file."""
    search: tuple[str, ...] = ()
    """Folders of its submodules; empty for a module that is not a package."""


def digest(parts: Mapping[str, str]) -> str:
    """Return the hex SHA-256 of names and what each counts by, independent of their order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def reachable_code(roots: Iterable[str], boundary: Boundary, *, computed: bool = True) -> dict[str, str]:
    """Return module → hash of its meaning for all that `roots` reach, sorted by name.

    A module whose source cannot be read counts by its bytes (a compiled one) or by one word.
    computed: whether an import of a computed name reaches all modules of its top-level package.
    """
    walk = _Walk(boundary, computed)
    walk.todo += [(Import(0, name), "") for name in roots]
    while walk.todo:
        walk.follow(*walk.todo.pop())
    if walk.reads_docstrings:
        walk.count_docstrings()
    return dict(sorted(walk.hashes.items()))


def plugin_boundary(owners: Collection[str], left_out: Collection[str]) -> Boundary:
    """Return the boundary of a plugin's code, by top-level package.

    owners: modules of the plugin. left_out: packages that do not count; the standard library never does.
    Code of another installed distribution counts by its version. All other code is the plugin's: its own
    package, other packages of its distribution, files next to it, editable installs.
    """
    own = {_top(name) for name in owners}

    @cache
    def boundary_of(top: str) -> dict[str, str] | None:
        if top in own:
            return None
        if top == _CORE or (top in left_out and _is_installed(top)) or _is_standard(top):
            return {}
        names = _distributions_of(top)
        if not names or names & {name for package in own for name in _distributions_of(package)}:
            return None
        return {f"{DISTRIBUTION}{name}": _version(name) for name in names}

    return lambda name: boundary_of(_top(name))


@dataclass
class _Walk:
    """Modules found so far, and imports still to follow, each with the module it is in."""

    boundary: Boundary
    computed: bool
    hashes: dict[str, str] = field(default_factory=dict)
    todo: list[tuple[Import, str]] = field(default_factory=list)
    reads_docstrings: bool = False
    _locations: dict[str, _Location] = field(default_factory=dict)

    def follow(self, imported: Import, within: str) -> None:
        """Visit the modules that an import runs."""
        if imported == COMPUTED:
            self._visit_all(_top(within))
            return
        location = self._locations.get(within)
        folder = location.file.parent if location and location.file else None
        name = _absolute(imported, within, is_package=bool(location and location.search))
        parts = name.split(".") if name else []
        for count in range(1, len(parts) + 1):
            self._visit(".".join(parts[:count]), folder)
        if parts and imported.name == "*":
            self._visit_package(name)
        submodule = f"{name}.{imported.name}"
        # A name that is imported from a package is often not a module, but part of one that counts already.
        if parts and imported.name and self.boundary(submodule) is None and self._locate(submodule, folder):
            self._visit(submodule, folder)

    def _visit_all(self, package: str) -> None:
        """Visit what an import of a computed name may mean: a package's modules, or a file's neighbors."""
        location = self._locations.get(package)
        if location is None or not self.computed:
            return
        self._visit_package(package)
        if not location.search and location.file is not None:
            folder = location.file.parent
            for path in sorted(folder.glob("*.py")):
                if path != location.file and path.stem.isidentifier():
                    self._visit(path.stem, folder)

    def _visit_package(self, package: str) -> None:
        """Visit all modules of a package; nothing for a module that is not one."""
        location = self._locations.get(package)
        for folder in location.search if location and self.boundary(package) is None else ():
            for path in sorted(Path(folder).rglob("*.py")):
                parts = path.relative_to(folder).with_suffix("").parts
                self._visit(".".join([package, *(part for part in parts if part != "__init__")]), None)

    def _visit(self, name: str, folder: Path | None) -> None:
        """Record a module once, and queue its imports; folder: the importing file's."""
        instead = self.boundary(name)
        if instead is not None:
            self.hashes |= instead
        elif self.hashes.get(name, MISSING) == MISSING:
            location = self._locate(name, folder)
            form = _hash_module(location) if location else Form(MISSING, ())
            self.hashes[name] = form.digest
            self.reads_docstrings |= form.reads_docstrings
            self.todo += [(imported, name) for imported in form.imports]

    def count_docstrings(self) -> None:
        """Hash all modules again with their docstrings: one of them reads docstrings, perhaps another's."""
        for name in self.hashes.keys() & self._locations.keys():
            self.hashes[name] = _hash_module(self._locations[name], docstrings_count=True).digest

    def _locate(self, name: str, folder: Path | None) -> _Location | None:
        """Find a module where an import would, else next to the file that imports it; None if nowhere."""
        if name not in self._locations:
            location = _loaded(name)
            parent = name.rpartition(".")[0]
            if location is None and parent:
                package = self._locate(parent, folder)
                location = _find(name, package.search) if package else None
            elif location is None:
                # A plugin may add its own folder to the path when it is called.
                location = _find(name) or (_find(name, (str(folder),)) if folder else None)
            if location is None:
                return None
            self._locations[name] = location
        return self._locations[name]


def _hash_module(location: _Location, *, docstrings_count: bool = False) -> Form:
    """Return what a module counts by, and its imports."""
    if location.file is None:
        return Form(_NAMESPACE if location.search else _UNREADABLE, ())
    try:
        content = location.file.read_bytes()
    except OSError:
        # A module in an archive counts by the whole archive.
        archive = next((parent for parent in location.file.parents if parent.is_file()), None)
        return Form(hash_bytes(archive.read_bytes()) if archive else _UNREADABLE, ())
    if location.file.suffix != ".py":
        return Form(hash_bytes(content), ())
    return form_of(content, docstrings_count=docstrings_count)


def _loaded(name: str) -> _Location | None:
    """Return where a loaded module is from; None if it is not loaded."""
    module = sys.modules.get(name)
    if module is None:
        return None
    try:
        file = getattr(module, "__file__", None)
        search = tuple(str(folder) for folder in getattr(module, "__path__", None) or ())
    except Exception:  # noqa: BLE001 - a proxy of a lazy or replaced module may raise anything
        return None
    return _Location(Path(file) if isinstance(file, str) else None, search)


def _find(name: str, folders: Sequence[str] | None = None) -> _Location | None:
    """Find a module as an import would, without importing anything, not even its package.

    folders: those of its package; None for `sys.path`.
    """
    if folders is not None and not folders:
        return None
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, folders)
        except (ImportError, AttributeError, ValueError, KeyError, OSError):
            continue  # a third-party finder
        if spec is None:
            continue
        if spec.has_location and spec.origin:
            return _Location(Path(spec.origin), tuple(spec.submodule_search_locations or ()))
        # Python does not give the folders of a namespace package while its parent package is not loaded.
        last = name.rpartition(".")[2]
        below = [Path(folder, last) for folder in (sys.path if folders is None else folders)]
        return _Location(None, tuple(str(folder) for folder in below if folder.is_dir()))
    return None


def _absolute(imported: Import, within: str, *, is_package: bool) -> str:
    """Return the absolute name of an import's module; empty where a relative import leads nowhere."""
    if not imported.level:
        return imported.module
    parts = within.split(".") if is_package else within.split(".")[:-1]
    base = parts[: len(parts) - imported.level + 1]
    return ".".join([*base, *([imported.module] if imported.module else [])]) if base else ""


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_standard(top: str) -> bool:
    """Whether a top-level module is from the standard library, and not another file of that name."""
    if top not in sys.stdlib_module_names:
        return False
    location = _loaded(top) or _find(top)
    library = Path(os.__file__).parent
    return location is None or location.file is None or location.file.is_relative_to(library)


def _distributions_of(top: str) -> frozenset[str]:
    """Return the distributions that installed a top-level package; none for code outside `site-packages`.

    Checks its folder first: reading all installed distributions takes 0.1 s for a hundred.
    """
    location = _loaded(top) or _find(top)
    if location is None:
        return frozenset()
    paths = [Path(folder) for folder in location.search] or ([location.file] if location.file else [])
    if not any(_has_distributions(path.parent) for path in paths):
        return frozenset()
    return frozenset(_distributions().get(top, ()))


@cache
def _has_distributions(folder: Path) -> bool:
    """Whether distributions are installed in a folder: `site-packages` under any name."""
    return next(folder.glob("*.dist-info"), None) is not None


def _is_installed(top: str) -> bool:
    """Whether a package is an installed one, or nowhere, and not a file of its name next to a plugin."""
    location = _loaded(top) or _find(top)
    if location is None:
        return True
    paths = [Path(folder) for folder in location.search] or ([location.file] if location.file else [])
    return not paths or any(_has_distributions(path.parent) for path in paths)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution) or "unknown"
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return "unknown"  # what is left of one that was removed


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()
