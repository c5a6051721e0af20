"""Canonical form of a Python source: equal for two sources that compute the same in the same way.

It is written from the syntax tree, so layout, comments, quotes and parentheses are not in it. Left out too:

- statements without effect: docstrings, other bare constants, `pass`;
- blocks for the type checker (`if TYPE_CHECKING:`), with the import of that name;
- the order of adjacent imports, and how they are split into statements.

Docstrings count in a module that reads `__doc__`; the order of imports counts where they bind one name
twice, or all names of a module (`*`). Type hints always count: dataclasses, among others, compute with them.
The form is the same on every version of Python that parses the source (3.11 to 3.14).
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.system.code_hash.tree_facts import (
    CHECKING,
    by_kind,
    importers_in,
    name_of,
    reads_docstrings,
    rebinds_checking,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.system.code_hash.tree_facts import Nodes

_WITHOUT_MEANING = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of nodes that follow from position or spelling."""
_LOADERS = {"spec_from_file_location", "SourceFileLoader", "run_path", "iter_modules", "walk_packages"}
"""Functions that load or list modules by a path or a folder."""


class Import(NamedTuple):
    """An import of a module, or of one name from it."""

    level: int
    """Dots in front: 0 for an absolute import."""
    module: str
    name: str = ""
    """Name that is imported from it, perhaps a submodule; empty where the module itself is imported."""


COMPUTED = Import(0, "")
"""An import of a module whose name is computed."""


class Form(NamedTuple):
    """Hash of a source, and its imports."""

    digest: str
    """Hex SHA-256 of the canonical form."""
    imports: tuple[Import, ...]
    """All imports, also those within functions, and by `import_module("x.y")`."""
    reads_docstrings: bool = False
    """Whether it may read docstrings, its own or another module's."""


@cache
def form_of(source: bytes, *, docstrings_count: bool = False) -> Form:
    """Return the hash of the canonical form; of a source that this Python cannot parse, of its bytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Form(hash_bytes(source), ())
    nodes = by_kind(tree)
    reads = reads_docstrings(nodes)
    writer = _Writer(nodes, docstrings_count=docstrings_count or reads)
    text = writer.write(tree)
    return Form(hash_bytes(text.encode()), tuple(dict.fromkeys(writer.imports)), reads)


def hash_bytes(content: bytes) -> str:
    """Return the hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


class _Writer:
    """Writes the canonical form of a syntax tree, and collects its imports on the way."""

    def __init__(self, nodes: Nodes, *, docstrings_count: bool = False) -> None:
        self.docstrings_count, self.checking_is_false = docstrings_count, not rebinds_checking(nodes)
        self.importers = importers_in(nodes)
        self.imports: list[Import] = []

    def write(self, tree: ast.AST) -> str:
        """Return the form of a tree; without recursion, as a tree may be deeper than Python's stack."""
        written: list[str] = []
        left: list[ast.AST | str] = [tree]
        while left:
            item = left.pop()
            if isinstance(item, str):
                written.append(item)
            else:
                left += reversed(self._pieces(item))
        return "".join(written)

    def _pieces(self, node: ast.AST) -> list[ast.AST | str]:
        """Return what a node is written as: texts, and nodes that are still to be written."""
        if isinstance(node, ast.Constant):
            return [_constant(node.value)]
        if isinstance(node, ast.Call):
            self._note_call(node)
        pieces: list[ast.AST | str] = [type(node).__name__, "("]
        for name in _meaningful(node._fields):
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                if name != "format_spec" or not _is_empty_text(value):
                    pieces += [name, "=", value, ","]
            elif isinstance(value, list):
                if entries := list(self._entries(node, value)):
                    pieces += [name, "=[", *entries, "],"]
            elif value is not None:
                pieces += [name, "=", ascii(value), ","]
        return [*pieces, ")"]

    def _entries(self, node: ast.AST, values: list[Any]) -> Iterator[ast.AST | str]:
        """Yield the entries of a list: nodes, names, None, or statements whose imports are written."""
        entries: Iterable[ast.AST | str]
        if values and isinstance(values[0], ast.stmt):
            entries = self._statements(values)
        elif isinstance(node, ast.JoinedStr):
            entries = _merge_texts(values)
        elif isinstance(node, ast.Delete):
            entries = _flat_targets(values)
        else:
            entries = (value if isinstance(value, ast.AST) else ascii(value) for value in values)
        for entry in entries:
            yield entry
            yield ","

    def _statements(self, body: Sequence[ast.stmt]) -> Iterator[ast.AST | str]:
        """Yield statements that have an effect; adjacent imports as texts, sorted if their order is free."""
        run: list[tuple[Import, str]] = []
        for statement in self._effective(body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                run += _single_imports(statement)
                continue
            yield from self._imported(run)
            run = []
            yield statement
        yield from self._imported(run)

    def _effective(self, body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        """Yield statements without docstrings, other constants, `pass` and blocks for the type checker."""
        for statement in body:
            if isinstance(statement, ast.Pass):
                continue
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                if self.docstrings_count and isinstance(statement.value.value, str):
                    # Formatters strip the spaces of a docstring, as readers of it do.
                    text = inspect.cleandoc(statement.value.value).strip()
                    yield ast.Expr(ast.Constant(text))
                continue
            block = _running_block(statement) if self.checking_is_false else None
            if block is None:
                yield statement
            else:
                yield from self._effective(block)

    def _imported(self, run: list[tuple[Import, str]]) -> Iterator[str]:
        """Yield adjacent imports as texts, sorted unless their order matters."""
        if self.checking_is_false:
            run = [(item, alias) for item, alias in run if item != _TYPE_CHECKING_IMPORT]
        self.imports += [item for item, _ in run]
        bound: dict[str, set[Import]] = {}
        for item, alias in run:
            name = alias or item.name or item.module.partition(".")[0]
            bound.setdefault(name, set()).add(item if alias or item.name else Import(0, name))
        texts = [f"Import({item.level},{item.module},{item.name},{alias})" for item, alias in run]
        order_matters = "*" in bound or any(len(imports) > 1 for imports in bound.values())
        yield from map(ascii, texts if order_matters else sorted(set(texts)))

    def _note_call(self, node: ast.Call) -> None:
        """Note an import by `import_module("x.y")`."""
        function = name_of(node.func)
        if function in _LOADERS:
            self.imports.append(COMPUTED)
        elif function in self.importers:
            name, package = _literal(node, 0, "name"), _literal(node, 1, "package")
            self.imports.append(COMPUTED if name is None else _by_name(name, package))
            if any(keyword.arg == "fromlist" for keyword in node.keywords):
                self.imports.append(COMPUTED)


def _flat_targets(targets: Sequence[ast.expr]) -> Iterator[ast.expr]:
    """Yield what `del` deletes: formatters put parentheses around many names, which make them a tuple."""
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _flat_targets(target.elts)
        else:
            yield target


@cache
def _meaningful(fields: tuple[str, ...]) -> list[str]:
    """Return the fields of a node that have a meaning, in an order that no version of Python changes."""
    return sorted(set(fields) - _WITHOUT_MEANING)


_TYPE_CHECKING_IMPORT = Import(0, "typing", CHECKING)


def _single_imports(statement: ast.Import | ast.ImportFrom) -> list[tuple[Import, str]]:
    """Return each import of a statement, with its alias; empty for none."""
    if isinstance(statement, ast.Import):
        return [(Import(0, item.name), _other_name(item.asname, item.name)) for item in statement.names]
    module = statement.module or ""
    return [
        (Import(statement.level, module, item.name), _other_name(item.asname, item.name))
        for item in statement.names
    ]


def _other_name(alias: str | None, name: str) -> str:
    return alias if alias is not None and alias != name else ""


def _running_block(statement: ast.stmt) -> list[ast.stmt] | None:
    """Return the statements of an `if TYPE_CHECKING` that do run; None for any other statement."""
    if not isinstance(statement, ast.If):
        return None
    test = statement.test
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and _is_checking(test.operand):
        return statement.body
    return statement.orelse if _is_checking(test) else None


def _is_checking(test: ast.expr) -> bool:
    if isinstance(test, ast.Attribute):
        return test.attr == CHECKING and isinstance(test.value, ast.Name) and test.value.id == "typing"
    return isinstance(test, ast.Name) and test.id == CHECKING


def _literal(call: ast.Call, position: int, keyword: str) -> str | None:
    """Return an argument that is a text in the source; None for any other."""
    arguments = [argument.value for argument in call.keywords if argument.arg == keyword]
    arguments += call.args[position : position + 1]
    value = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None
    return value if isinstance(value, str) else None


def _by_name(name: str, package: str | None) -> Import:
    """Return the import of `import_module(name, package)`."""
    module = name.lstrip(".")
    level = len(name) - len(module)
    if not level or package is None:
        return Import(level, module)
    parts = package.split(".")
    return Import(0, ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])]))


def _merge_texts(values: Sequence[ast.expr]) -> list[ast.expr]:
    """Return the parts of an f-string, adjacent texts joined: versions of Python split them differently."""
    merged: list[ast.expr] = []
    for part in values:
        last = merged[-1] if merged else None
        if not isinstance(part, ast.Constant):
            merged.append(part)
        elif isinstance(last, ast.Constant):
            merged[-1] = ast.Constant(str(last.value) + str(part.value))
        elif part.value != "":
            merged.append(part)
    return merged


def _is_empty_text(node: ast.AST) -> bool:
    """Whether a node is an f-string without content: the format of `{a:}`, which means `{a}`."""
    return isinstance(node, ast.JoinedStr) and not _merge_texts(node.values)


def _constant(value: object) -> str:
    """Return a constant's type and value; by `ascii`, as versions of Python differ in `repr`."""
    # Python does not write integers of more than some thousand digits as decimals.
    text = hex(value) if type(value) is int else ascii(value)
    return f"{type(value).__name__}:{text}"
