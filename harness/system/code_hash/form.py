"""The canonical form of a Python source: the same for two sources that compute the same in the same way.

It is written from the syntax tree, so layout, comments, quotes and parentheses are not in it. Left out too:

- statements without effect: docstrings, other bare constants, `pass`;
- blocks for the type checker (`if TYPE_CHECKING:`), with the import of that name;
- the order of adjacent imports, and how they are split into statements.

Docstrings count in a module that reads `__doc__`; the order of imports does where they bind one name twice,
or all names of a module (`*`). Type hints always count: dataclasses, among others, compute with them.
The form is the same on every version of Python that parses the source (3.11 to 3.14).
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WITHOUT_MEANING = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of nodes that follow from their place or spelling."""
_CHECKING = "TYPE_CHECKING"
_IMPORTERS = {"import_module", "__import__"}


class Import(NamedTuple):
    """A module that a source imports, and what it takes from it."""

    level: int
    """Dots in front: 0 for an absolute import."""
    module: str
    name: str = ""
    """What is taken from it, perhaps a submodule; empty where the module itself is imported."""


COMPUTED = Import(0, "")
"""An import of a module whose name is computed."""


class Form(NamedTuple):
    """What a source means."""

    digest: str
    """Hex SHA-256 of the canonical form."""
    imports: tuple[Import, ...]
    """All that it may import when it runs, also within functions, and by `import_module("x.y")`."""


@cache
def form_of(source: bytes) -> Form:
    """Hash the meaning of a source; of one that this version of Python cannot parse, hash the bytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Form(hash_bytes(source), ())
    writer = _Writer()
    text = writer.write(tree)
    if writer.reads_docstrings or writer.sets_checking:
        writer = _Writer(docstrings_count=writer.reads_docstrings, checking_is_false=not writer.sets_checking)
        text = writer.write(tree)
    return Form(hash_bytes(text.encode()), tuple(dict.fromkeys(writer.imports)))


def hash_bytes(content: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


class _Writer:
    """Writes the canonical form of a tree, and notes what it imports on the way."""

    def __init__(self, *, docstrings_count: bool = False, checking_is_false: bool = True) -> None:
        self.docstrings_count, self.checking_is_false = docstrings_count, checking_is_false
        self.imports: list[Import] = []
        self.reads_docstrings = False
        self.sets_checking = False
        """Whether the module decides itself what `TYPE_CHECKING` stands for: its blocks may run."""

    def write(self, tree: ast.AST) -> str:
        """Write a tree; without recursion, as a tree may be deeper than Python's stack."""
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
        if isinstance(node, ast.Constant):
            return [_constant(node.value)]
        if isinstance(node, ast.Name | ast.Attribute):
            self._note_name(node)
        elif isinstance(node, ast.Call):
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
        """The entries of a list: nodes, names, None, or statements, of which imports are written already."""
        entries: Iterable[ast.AST | str]
        if values and isinstance(values[0], ast.stmt):
            entries = self._statements(values)
        elif isinstance(node, ast.JoinedStr):
            entries = _merge_texts(values)
        else:
            entries = (one if isinstance(one, ast.AST) else ascii(one) for one in values)
        for entry in entries:
            yield entry
            yield ","

    def _statements(self, body: Sequence[ast.stmt]) -> Iterator[ast.AST | str]:
        """Statements that have an effect, with every run of imports in an order of its own."""
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
        for statement in body:
            if isinstance(statement, ast.Pass):
                continue
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                if self.docstrings_count and isinstance(statement.value.value, str):
                    yield statement
                continue
            checking = _block_that_runs(statement) if self.checking_is_false else None
            if checking is None:
                yield statement
            else:
                yield from self._effective(checking)

    def _imported(self, run: list[tuple[Import, str]]) -> Iterator[str]:
        """Write a run of imports, sorted where their order means nothing."""
        run = [(one, alias) for one, alias in run if not (self.checking_is_false and one == _OF_TYPING)]
        self.imports += [one for one, _ in run]
        bound: dict[str, set[Import]] = {}
        for one, alias in run:
            name = alias or one.name or one.module.partition(".")[0]
            what = one if alias or one.name else Import(0, name)
            bound.setdefault(name, set()).add(what)
        texts = [f"Import({one.level},{one.module},{one.name},{alias})" for one, alias in run]
        matters = "*" in bound or any(len(given) > 1 for given in bound.values())
        yield from map(ascii, texts if matters else sorted(set(texts)))

    def _note_name(self, node: ast.Name | ast.Attribute) -> None:
        name = _name(node)
        self.reads_docstrings |= name == "__doc__"
        self.sets_checking |= name == _CHECKING and isinstance(node.ctx, ast.Store)

    def _note_call(self, node: ast.Call) -> None:
        """Note `import_module("x.y")`."""
        if _name(node.func) in _IMPORTERS:
            name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            module = name.lstrip(".") if isinstance(name, str) else ""
            self.imports.append(
                Import(len(name) - len(module), module) if isinstance(name, str) else COMPUTED
            )


@cache
def _meaningful(fields: tuple[str, ...]) -> list[str]:
    """The fields of a node that have a meaning, in an order that does not depend on the version of Python."""
    return sorted(set(fields) - _WITHOUT_MEANING)


_OF_TYPING = Import(0, "typing", _CHECKING)


def _single_imports(statement: ast.Import | ast.ImportFrom) -> list[tuple[Import, str]]:
    """Each name that a statement imports, and what it is called where that is another name."""
    if isinstance(statement, ast.Import):
        return [(Import(0, item.name), _other_name(item.asname, item.name)) for item in statement.names]
    module = statement.module or ""
    return [
        (Import(statement.level, module, one.name), _other_name(one.asname, one.name))
        for one in statement.names
    ]


def _other_name(alias: str | None, name: str) -> str:
    return alias if alias is not None and alias != name else ""


def _block_that_runs(statement: ast.stmt) -> list[ast.stmt] | None:
    """The statements of a block for the type checker that run nonetheless; None for any other statement."""
    if not isinstance(statement, ast.If):
        return None
    test = statement.test
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and _is_checking(test.operand):
        return statement.body
    return statement.orelse if _is_checking(test) else None


def _is_checking(test: ast.expr) -> bool:
    if isinstance(test, ast.Attribute):
        return test.attr == _CHECKING and isinstance(test.value, ast.Name) and test.value.id == "typing"
    return isinstance(test, ast.Name) and test.id == _CHECKING


def _name(node: ast.AST) -> str:
    """The name or the attribute that an expression ends in; empty for any other."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _merge_texts(values: Sequence[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string, with adjacent texts in one: versions of Python split them differently."""
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
    """Write a constant by type and value; `ascii`, as `repr` knows other characters in other versions."""
    # Python refuses to write whole numbers of more than some thousand digits in decimals.
    told = hex(value) if type(value) is int else ascii(value)
    return f"{type(value).__name__}:{told}"
