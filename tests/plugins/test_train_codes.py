"""The codes of our checks' findings, by which `--allow` is held against typing errors."""

from __future__ import annotations

import ast
from pathlib import Path

import harness_train
from harness.plugins.loader import load_plugins


def returned(source):
    """Yield the texts that are, or may be, the first argument of a Finding in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and node.args:
            values = (part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant))
            yield from (value for value in values if isinstance(value, str))


def test_every_code_that_our_checks_return_is_one_that_they_declare():
    checks = load_plugins(allowed=["train"]).checks()
    declared = {code for check in checks.values() for code in check.codes}
    assert all(check.codes for check in checks.values())
    for file in Path(harness_train.__file__).parent.glob("*.py"):
        assert {*returned(file.read_text(encoding="utf-8"))} <= declared, file.name
