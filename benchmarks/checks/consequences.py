"""Which findings are right of which fault: the one table by which findings are judged.

A finding is right if it names the seeded fault or follows from it, as shuffled positives do from few answers.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_SHUFFLED_OR_FEW = ("positives shuffled", "2 answers", "10 answers")

CONSEQUENCES: dict[str, tuple[str, ...]] = {
    # Labels. Half of the labels inverted, or exchanged, is what shuffled ones are.
    "labels-inverted": ("labels inverted",),
    "labels-may-be-inverted": ("labels inverted", "card: labels inverted*"),
    "labels-flipped": ("labels inverted", "labels shuffled", "labels contradicting", "classes shuffled"),
    "labels-without-signal": ("labels shuffled", "labels inverted", "classes shuffled"),
    "labels-near-constant": ("labels constant",),
    "labels-out-of-range": ("scores *", "labels as words", "card: scores *"),
    "scores-in-another-scale": ("scores *", "card: scores *"),
    "labels-not-numbers": ("labels as words", "labels missing", "label read as text"),
    "same-pair-two-labels": ("labels contradicting",),
    "no-triplets": ("every class once", "one class"),
    "few-triplets": ("every class once", "one class"),
    # Rows.
    "duplicate-rows": ("rows repeated", "rows nearly repeated", "2 answers"),
    "near-duplicates": ("rows nearly repeated", "rows repeated", "labels contradicting"),
    "positives-verbatim-equal": ("anchor is positive", "card: anchor is positive"),
    # A pair of equal texts whose label was turned round, or a positive that is another row's negative.
    "negatives-verbatim-equal": (
        "anchor is negative", "labels inverted", "labels shuffled", "labels contradicting", "negatives swapped",
    ),
    "negatives-equal-positive": ("positive is negative", "positives shuffled", "2 answers", "10 answers"),
    "columns-swapped": ("negatives swapped", "columns half-swapped"),
    "columns-half-swapped": ("columns half-swapped", "negatives swapped"),
    "positives-shuffled": _SHUFFLED_OR_FEW,
    "few-distinct-answers": ("2 answers", "10 answers"),
    # A copy of a row, or an answer for many, is a negative of itself in its batch.
    "in-batch-duplicates": (
        "2 answers", "10 answers", "rows repeated", "rows nearly repeated", "labels contradicting", "template *",
        "empty texts", "test rows in training",
    ),
    "wrong-columns": ("label read as text", "card: negative before positive"),
    # Training.
    "margin-unreachable": ("margin out of reach", "card: margin out of reach"),
    "too-few-steps": ("few steps",),
    "small-batch": ("batch of *", "card: batch of *"),
    # Texts.
    "html-in-texts": ("HTML", "HTML entities", "card: HTML"),
    "unfilled-template": ("template *", "card: template"),
    "dict-inputs": ("records", "card: records"),
    "missing-texts": ("missing texts",),
    "empty-texts": ("empty texts",),
    "mojibake": ("mojibake", "card: mojibake"),
    "pdf-debris": ("PDF debris", "card: PDF debris"),
    "mixed-scripts": ("other script",),
    "unreadable-script": ("other script",),
    "truncated-texts": ("long texts", "short limit", "card: texts cut"),
    "prefix-missing": ("no prefix", "card: no prefix"),
    # Tests.
    "train-test-overlap": ("test rows in training", "test rows nearly in training"),
    "shared-texts": ("test rows in training", "test rows nearly in training"),
    # Cards: logs and scores.
    "loss-not-finite": ("card: loss is no number",),
    "loss-stood-still": ("card: loss stood still", "card: loss at chance", "card: loss at its margin", "card: loss is zero"),
    "loss-at-chance": ("card: loss at chance", "card: loss stood still"),
    "hinge-never-closes": ("card: loss at its margin", "card: margin out of reach", "card: loss stood still"),
    "hinge-never-opens": ("card: loss is zero",),
    "score-not-finite": ("card: score is no number",),
    "scores-contradict": ("card: scores contradict",),
    "evaluation-at-ceiling": ("card: evaluation at its ceiling",),
    "metric-reported-twice": ("card: metric twice",),
    "best-not-kept": ("card: best lost",),
    "below-chance": ("card: below chance", "card: labels inverted*"),
    "score-out-of-range": ("card: score out of range",),
    "scores-in-percent": ("card: scores in percent",),
    "no-evaluation": ("card: no evaluation",),
    "card-contradicts-itself": ("card: two losses",),
    "schedule-longer-than-run": ("card: schedule too long",),
}  # fmt: skip
"""Code → patterns of the faults that it names, or that it follows from."""

CLAIMED_FROM: dict[str, float] = {
    "labels inverted": 0.1,
    "labels shuffled": 1.0,
    "classes shuffled": 1.0,
    "columns half-swapped": 0.1,
    "negatives swapped": 0.2,
    "positives shuffled": 0.1,
    "2 answers": 0.5,
    "10 answers": 0.5,
    # No share of rows is as large: nothing is claimed where the card does not show the fault.
    "card: labels inverted, no score shows it": 2.0,
}
"""Fault → the share of rows from which on docs/check-data.md claims that it is seen; 0 for all others."""


def is_right(code: str, fault: str) -> bool:
    """Whether a finding is right of a set with this fault."""
    return any(fnmatchcase(fault, pattern) for pattern in CONSEQUENCES.get(code, ()))
