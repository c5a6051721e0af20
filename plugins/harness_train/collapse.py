"""Detect embedding collapse: texts that training has pulled together."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from harness import Model
    from harness.training import CheckInput

MOST_TEXTS, FEWEST_TEXTS = 256, 32
"""Maximum number of training texts that are drawn, and minimum number that is measured."""

NARROW = 0.9
"""Minimum mean cosine of unrelated texts that counts as collapsed.

all-MiniLM-L6-v2 has 0.05 on the texts below; models trained at a low temperature, such as E5, about 0.75.
"""
RISE = 0.3
"""Minimum rise of the mean cosine over that of the base for a warning."""
HALF, QUARTER = 1 / 2, 1 / 4
"""Maximum shares of the base's effective rank for a warning, and for an error."""
FLAT = 0.1
"""Maximum share of the largest possible effective rank that counts as flat, without a base."""

_UNRELATED = """\
The ferry leaves at six in the morning.|Photosynthesis turns light into sugar.|He was fined for speeding.
Add two eggs and stir until smooth.|Interest rates rose by a quarter point.|My cat sleeps on the radiator.
The tenant shall pay the rent in advance.|Snow is expected above a thousand metres.|She plays the cello.
The parcel was returned to the sender.|A prime number has two divisors.|The museum is closed on Mondays.
Vaccination starts at two months of age.|The bridge was built by the Romans.|Please restart your router.
Our goalkeeper saved a penalty.|The jury could not agree on a verdict.|Bees dance to show where flowers are.
I would like a table for four.|The novel is set in nineteenth-century Lisbon.|Tighten the screws crosswise.
Volcanic ash grounded all flights.|The warranty does not cover water damage.|Grandmother knits socks.
Exports of steel fell in March.|Where can I buy a train ticket?|The comet returns every seventy-six years.
Shares were suspended from trading.|A child is flying a red kite.|The patient complained of chest pain.
Wash at forty degrees with like colors.|The treaty was signed in Vienna.|Octopuses have three hearts.
The server answers with an error.|Rice is grown on terraces.|The choir rehearses in the church hall.
He repaired the clock with a hairpin.|Either party may terminate on notice.|The lake froze overnight.
Olive oil should be kept in the dark.|The suspect denied the burglary.|Turn left after the roundabout."""
"""Unrelated short sentences."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Spread of embeddings: mean cosine and effective rank."""

    cosine: float
    """Mean cosine of two different texts, in [-1, 1]; 1 if all are equal."""
    rank: float
    """Effective rank (Roy & Vetterli, 2007): exp of the entropy of the centered singular values."""
    most: int
    """Maximum rank for this number of texts and dimensions."""


def spread(embeddings: np.ndarray) -> Spread:
    """Return the spread of (n, d) embeddings, n ≥ 2; rank 1 if all are equal."""
    import numpy as np

    rows = embeddings.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    count, total = len(unit), unit.sum(axis=0)
    cosine = (total @ total - (unit * unit).sum()) / (count * (count - 1))
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    shares = values / values.sum() if values.sum() > 1e-9 else np.ones(1)
    shares = shares[shares > 0]
    rank = float(np.exp(-(shares * np.log(shares)).sum()))
    return Spread(float(cosine), rank, min(count - 1, rows.shape[1]))


def check_embeddings(training: CheckInput) -> Iterator[Finding]:
    """Find embeddings that training has made narrow or flat, of unrelated texts or of training texts."""
    if training.model is None:
        return
    model, base = training.model(), training.base() if training.base is not None else None
    groups = {
        "unrelated sentences": unrelated(),
        "training texts": _read_whole(model, _training_texts(training)),
    }
    for name, texts in groups.items():
        if len(texts) < FEWEST_TEXTS:
            continue
        own = spread(model.encode(texts))
        verdict = _assess(own, _spread_of(base, texts), trained=training.trained)
        if verdict is not None:
            severity, reason = verdict
            yield Finding(
                "embedding-collapse",
                severity,
                f"Of {len(texts)} {name}, two have a mean cosine of {own.cosine:.2f}, and the embeddings an"
                f" effective rank of {own.rank:.0f} of at most {own.most}; {reason}.",
                "Check whether nearly all labels say “similar”; train with negatives, for fewer epochs, or at"
                " a lower learning rate.",
            )
            return


def unrelated() -> list[str]:
    """Return the unrelated sentences."""
    return [text for line in _UNRELATED.splitlines() for text in line.split("|")]


def _assess(own: Spread, base: Spread | None, *, trained: bool) -> tuple[Severity, str] | None:
    """Return the severity and what it is compared with; None without a collapse."""
    if base is None:
        narrow, flat = own.cosine >= NARROW, own.rank <= FLAT * own.most
        severity = Severity.ERROR if trained else Severity.WARNING
        return (severity, "there is no base to compare with") if narrow or flat else None
    compared = f"its base has {base.cosine:.2f} and {base.rank:.0f}"
    if own.cosine >= NARROW > base.cosine or own.rank <= QUARTER * base.rank:
        return Severity.ERROR, compared
    if own.cosine >= base.cosine + RISE or own.rank <= HALF * base.rank or own.cosine >= NARROW:
        return Severity.WARNING, compared
    return None


def _spread_of(model: Model | None, texts: Sequence[str]) -> Spread | None:
    return None if model is None else spread(model.encode(texts))


def _read_whole(model: Model, texts: list[str]) -> list[str]:
    """Return the texts that the model does not cut: cut ones may be alike because their beginnings are."""
    if not texts or (limit := model.facts.max_tokens) is None:
        return texts
    tokens = model.count_tokens(texts)
    if tokens is None:
        return texts
    return [text for text, count in zip(texts, tokens.tolist(), strict=True) if count <= limit]


def _training_texts(training: CheckInput) -> list[str]:
    """Draw distinct texts of the training, the same each time."""
    if training.rows is None:
        return []
    cells = [cell for column in training.rows.texts.values() for cell in column]
    texts = sorted({cell for cell in cells if isinstance(cell, str) and cell.strip()})
    return random.Random(0).sample(texts, min(len(texts), MOST_TEXTS))  # noqa: S311 - the same each time
