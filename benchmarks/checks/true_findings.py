"""Findings that are true of sets into which no fault was put.

Those of rows were looked at by hand, each with its reason; those of cards are judged by rules that read them.
"""

from __future__ import annotations

from functools import cache

from benchmarks.checks.cards.read import changed_card
from benchmarks.checks.cards.truths import true_of_card

_SHARED = "share a text with another row"
_NEXT = "The negative of each row is the positive of the next one."

TRUE_OF_ROWS: dict[str, dict[str, tuple[str, str]]] = {
    "stsb-news": {"mojibake": ("‚Äô", "The published file has ‚Äô for ’ in 6 of these texts.")},
    "scifact-claims": {
        "truncated-texts": (
            "are longer than 256 tokens",
            "A third of the abstracts have 257 to 1,021 tokens.",
        )
    },
    "cranfield-queries": {
        "truncated-texts": ("are longer than 256 tokens", "35 of the abstracts have 257 to 596 tokens.")
    },
    "towns-triplets-mnrl": {"in-batch-duplicates": (_SHARED, _NEXT)},
    "records-triplets": {"in-batch-duplicates": (_SHARED, _NEXT)},
    "answers-triplets": {
        "in-batch-duplicates": (
            _SHARED,
            "Each negative is the positive of another row on the same thing.",
        )
    },
    "code": {
        "near-duplicates": ("are nearly equal to another one", "Its functions differ by a word or two.")
    },
    "signs": {"in-batch-duplicates": (_SHARED, "Two rows ask: For which s is the mean above 2?")},
}
"""Data set → code → words that the evidence must have, and why the finding is true of the rows."""


@cache
def is_true_of_card(subject: str, fault: str, code: str) -> bool:
    """Whether a finding is true of a card whatever fault was put into it; False for rows.

    The rules read the card's text with the fault in it.
    """
    text = changed_card(subject, fault)
    return text is not None and true_of_card(code, text)
