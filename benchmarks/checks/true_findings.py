"""Findings that are true of sets into which no fault was put: each was looked at by hand, with the reason."""

from __future__ import annotations

_EASY = "Every evaluation is at 1.0: paraphrases of generated events are told apart at once."

TRUE_AS_THEY_ARE: dict[str, dict[str, str]] = {
    "stsb-news": {"mojibake": "The published file has ‚Äô for ’ in 6 of these texts."},
    "ipc-illustrations": {
        "pdf-debris": "The text has port- hole, house- trespass, one- half, sea- mark, sub- section."
    },
    "card batch-hard": {"best-not-kept": "Accuracy fell from 0.93 to 0.76, and the last weights were kept."},
    "card batch-semi-hard": {
        "best-not-kept": "Accuracy fell from 0.90 to 0.84, and the last weights were kept."
    },
    "card batch-soft": {"best-not-kept": "Spearman fell from 0.42 to 0.26, and the last weights were kept."},
    "card cached-mnrl": {"evaluation-at-ceiling": _EASY},
    "card matryoshka-mnrl": {"evaluation-at-ceiling": _EASY},
    "card mnrl-triplets": {"evaluation-at-ceiling": _EASY},
    "card mnrl": {"evaluation-at-ceiling": _EASY},
    "card symmetric": {"evaluation-at-ceiling": _EASY},
}
"""Subject → code → why the finding is true of it as it is."""
