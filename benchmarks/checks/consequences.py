"""Which findings are right of which fault: the one table by which findings are judged."""

from __future__ import annotations

from fnmatch import fnmatchcase

CONSEQUENCES: dict[str, tuple[str, ...]] = {
    # labels
    "labels-inverted": ("labels inverted",),
    "labels-may-be-inverted": ("labels inverted",),
    "labels-near-constant": ("labels constant",),
    "labels-out-of-range": ("scores *", "labels as words"),
    "labels-not-numbers": ("labels as words", "labels missing", "label read as text"),
    "same-pair-two-labels": ("labels contradicting",),
    # rows
    "duplicate-rows": ("rows repeated",),
    "near-duplicates": ("rows nearly repeated", "rows repeated"),
    "positives-verbatim-equal": ("anchor is positive",),
    "negatives-verbatim-equal": ("anchor is negative",),
    "negatives-equal-positive": ("positive is negative",),
    "columns-swapped": ("negatives swapped",),
    "in-batch-duplicates": ("* answers", "rows repeated"),
    "wrong-columns": ("label read as text",),
    # training
    "margin-unreachable": ("margin out of reach",),
    "too-few-steps": ("few steps",),
    # texts
    "dict-inputs": ("records",),
    "missing-texts": ("missing texts",),
    "empty-texts": ("empty texts",),
    "mojibake": ("mojibake",),
    "pdf-debris": ("PDF debris",),
    "mixed-scripts": ("other script",),
    "truncated-texts": ("long texts", "short limit"),
    # tests
    "train-test-overlap": ("test rows in training", "test rows nearly in training"),
    "shared-texts": ("test rows in training", "test rows nearly in training"),
}
"""Code → patterns of the faults that it names, or that it follows from."""


def is_right(code: str, fault: str) -> bool:
    """Whether a finding is right of a set with this fault."""
    return any(fnmatchcase(fault, pattern) for pattern in CONSEQUENCES.get(code, ()))
