"""Findings that are true of sets into which no fault was put.

Those of rows were looked at by hand, each with its reason; those of cards are judged by rules that read them.
"""

from __future__ import annotations

from functools import cache

from benchmarks.checks.cards.read import changed_card
from benchmarks.checks.cards.truths import true_of_card

TRUE_AS_THEY_ARE: dict[str, dict[str, str]] = {
    "stsb-news": {"mojibake": "The published file has ‚Äô for ’ in 6 of these texts."},
    "ipc-illustrations": {
        "pdf-debris": "The text has port- hole, house- trespass, one- half, sea- mark, sub- section."
    },
}
"""Subject → code → why the finding is true of it as it is."""


@cache
def is_true_as_it_is(subject: str, fault: str, code: str) -> bool:
    """Whether a finding is true of a set or a card, whatever fault was put into it.

    Of rows by the table above; of cards by rules that read the card's text, with its fault.
    """
    text = changed_card(subject, fault)
    return code in TRUE_AS_THEY_ARE.get(subject, {}) or (text is not None and true_of_card(code, text))
