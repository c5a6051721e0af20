"""Facts of a syntax tree that its canonical form depends on; the tree is walked once for all of them."""

from __future__ import annotations

import ast
from typing import Any

CHECKING = "TYPE_CHECKING"
_IMPORTERS = {"import_module", "__import__"}
_READERS = {"__doc__", "getdoc"}

Nodes = dict[type[ast.AST], list[Any]]
"""All nodes of a tree by their kind."""


def by_kind(tree: ast.AST) -> Nodes:
    """Return all nodes of a tree: it is walked once, and most questions are about few kinds."""
    nodes: Nodes = {}
    left = [tree]
    while left:
        node = left.pop()
        nodes.setdefault(type(node), []).append(node)
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [inner for inner in value if isinstance(inner, ast.AST)]
    return nodes


def reads_docstrings(nodes: Nodes) -> bool:
    """Whether `__doc__` or `getdoc` is anywhere in a source: as a name, an attribute, a text, an import."""
    fields = {ast.Name: "id", ast.Attribute: "attr", ast.alias: "name", ast.Constant: "value"}
    return any(
        isinstance(text := getattr(node, field), str) and text in _READERS
        for kind, field in fields.items()
        for node in nodes.get(kind, ())
    )


def rebinds_checking(nodes: Nodes) -> bool:
    """Whether `TYPE_CHECKING` may be another than the standard library's, so that its blocks may run."""
    names = {CHECKING, "typing"}
    taken = [node for node in nodes.get(ast.ImportFrom, ()) if not _takes_checking(node)]
    imported = len(taken) < len(nodes.get(ast.ImportFrom, ()))
    for node in taken:
        if {alias.asname or alias.name for alias in node.names} & names:
            return True
        # Of all names of a module, one may be this.
        if not imported and any(alias.name == "*" for alias in node.names):
            return True
    for node in nodes.get(ast.Import, ()):
        if any(alias.asname in names for alias in node.names if alias.name != "typing"):
            return True
    for node in (*nodes.get(ast.Name, ()), *nodes.get(ast.Attribute, ())):
        if name_of(node) in names and not isinstance(node.ctx, ast.Load):
            return True
    if any(node.value == CHECKING for node in nodes.get(ast.Constant, ())):
        return True
    # Parameters, functions, classes, patterns: whatever has a name of its own, which may be a node too.
    named = [
        node for kind in nodes if kind is not ast.alias and "name" in kind._fields for node in nodes[kind]
    ]
    arguments = (*nodes.get(ast.arg, ()), *nodes.get(ast.keyword, ()))
    return any(each in names for each in [*(node.name for node in named), *(node.arg for node in arguments)])


def _takes_checking(node: ast.ImportFrom) -> bool:
    standard = node.module in ("typing", "typing_extensions")
    return standard and any(alias.name == CHECKING and alias.asname is None for alias in node.names)


def importers_in(nodes: Nodes) -> set[str]:
    """Return the names under which a source may call an import by name."""
    return _IMPORTERS | {
        alias.asname
        for node in nodes.get(ast.ImportFrom, ())
        for alias in node.names
        if alias.asname and alias.name in _IMPORTERS
    }


def name_of(node: ast.AST) -> str:
    """Return the name or attribute that an expression ends in; empty for other expressions."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
