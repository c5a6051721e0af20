"""Check what a batch offers: answers that differ, and texts that form triplets."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import LOSSES, normalize_text
from harness_train.duplicates import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput, Rows

USUAL_BATCH = 16
"""Batch size where none is known: the default of recipes."""
CLASHING = 0.5
"""Minimum share of rows with their own answer once more in their batch, as a negative, for a finding."""
LONE = 0.05
"""Minimum share of texts that are alone with their label for a finding."""
PAIRED = 0.1
"""Minimum share of texts that meet another text of their label in a batch."""
_TRIPLETS = (
    "BatchAllTripletLoss", "BatchHardTripletLoss", "BatchHardSoftMarginTripletLoss",
    "BatchSemiHardTripletLoss",
)  # fmt: skip
"""Losses that form triplets of the texts of a batch by their labels."""


def check_batches(training: CheckInput) -> Iterator[Finding]:
    """Find few distinct answers under in-batch negatives, and labels without triplets."""
    yield from _few_answers(training)
    yield from _triplets(training)


def _in_batch(training: CheckInput) -> bool:
    return training.loss_name in LOSSES and LOSSES[training.loss_name].in_batch


def _few_answers(training: CheckInput) -> Iterator[Finding]:
    """Find answers so few that a batch mostly holds the same one again.

    A row whose answer has the share p of all rows meets it again in a batch of B rows with probability
    1 − (1 − p)^(B − 1): the birthday problem. The finding needs a mean of one half over the rows. With a
    sampler that keeps equal texts apart, a batch cannot be larger than the number of answers instead.
    """
    rows = training.rows
    if rows is None or not rows.complete or rows.kind not in ("pairs", "triplets") or len(rows) < 2:
        return
    if not _in_batch(training) and (training.loss_name or rows.kind != "pairs"):
        return
    name = list(rows.texts)[1]
    often = Counter(normalize_text(cell) for cell in rows.texts[name] if isinstance(cell, str))
    total, size = sum(often.values()), training.batch_size or USUAL_BATCH
    if total < 2:
        return
    (text, times), *_ = often.most_common(1)
    seen = (
        f"{len(rows):,} rows have {_plural(len(often), 'distinct answer')} in {name}; one of them,"
        f" {shorten(text)!r}, is in {times:,} rows"
    )
    if training.batch_sampler == "no-duplicates":
        if len(often) < size and len(often) < total:
            yield _answers(
                f"{seen}. Batches without a text twice hold at most {len(often)} rows, not {size}: there are"
                f" at most {_plural(len(often) - 1, 'negative')}."
            )
        return
    clashing = sum(count * (1 - (1 - (count - 1) / (total - 1)) ** (size - 1)) for count in often.values())
    share = clashing / total
    if share >= CLASHING:
        assumed = "" if training.batch_size else ", the usual size"
        yield _answers(
            f"{seen}. In a batch of {size}{assumed}, {share:.0%} of the rows have their own answer as a"
            " negative too, and are pushed away from it."
        )


def _answers(evidence: str) -> Finding:
    return Finding(
        "few-distinct-answers",
        Severity.WARNING,
        evidence,
        'batch_sampler = "no-duplicates" keeps equal texts apart where there are enough of them; with few'
        " answers, train with labels instead (ContrastiveLoss, or BatchHardTripletLoss with the answer as"
        " the label).",
    )


def _triplets(training: CheckInput) -> Iterator[Finding]:
    """Find labels of which no triplet, or hardly any, can be formed."""
    counts = _counts(training)
    if not counts:
        return
    name, total = training.loss_name or "a triplet loss over labels", sum(counts.values())
    needs = "takes two texts of one label and one of another"
    lone = sum(count == 1 for count in counts.values())
    remedy = "Check that the column of labels is the right one; each label needs two texts or more."
    if len(counts) == 1:
        yield Finding(
            "no-triplets",
            Severity.ERROR,
            f"All {_whole(total)} have the label {shorten(next(iter(counts)))!r}; {name} {needs}: no triplet"
            " can be formed, and nothing is learned.",
            remedy,
        )
    elif lone == total:
        yield Finding(
            "no-triplets",
            Severity.ERROR,
            f"Each of {_whole(total)} has a label of its own; {name} {needs}: no triplet can be formed, and"
            " nothing is learned.",
            remedy,
        )
    elif training.batch_size == 1:
        yield Finding(
            "no-triplets",
            Severity.ERROR,
            f"A batch has 1 row, and {name} {needs} from one batch: no triplet can be formed.",
            "Raise train.batch_size to 32 or more.",
        )
    else:
        yield from _few_triplets(training, counts, name)


def _few_triplets(training: CheckInput, counts: Counter[str], name: str) -> Iterator[Finding]:
    """Find texts that are alone with their label, and batches in which labels hardly recur.

    A text whose label has c of n rows meets it again in a batch of B drawn rows with probability
    1 − Π (n − c − i) / (n − 1 − i) over i < B − 1 (hypergeometric).
    """
    total, size = sum(counts.values()), training.batch_size
    lone = sum(count == 1 for count in counts.values())
    if lone >= LONE * total:
        yield Finding(
            "few-triplets",
            Severity.WARNING if lone >= total / 2 else Severity.NOTE,
            f"{lone:,} of {total:,} texts ({lone / total:.0%}) are alone with their label: {name} never takes"
            " them as anchors.",
            "Check these labels, or join those that mean the same.",
        )
    if size is None or training.batch_sampler != "default" or size >= total:
        return
    meets = {count: 1 - _alone(count, total, size) for count in set(counts.values())}
    share = sum(count * meets[count] for count in counts.values()) / total
    if share < PAIRED:
        yield Finding(
            "few-triplets",
            Severity.WARNING,
            f"There are {len(counts):,} labels, and a batch holds {size} of {total:,} rows: {share:.1%} of"
            " the texts meet another one of their label in it, and the others have no triplet.",
            'Draw batches by label: batch_sampler = "group-by-label".',
        )


def _alone(count: int, total: int, size: int) -> float:
    """Return the probability that a text meets no other text of its label in a batch."""
    chance = 1.0
    for drawn in range(size - 1):
        chance *= max(total - count - drawn, 0) / (total - 1 - drawn)
    return chance


def _counts(training: CheckInput) -> Counter[str]:
    """Return label → number of texts; from a card, label → its share in rows; empty where unknown."""
    rows, name = training.rows, training.loss_name
    if name and name not in _TRIPLETS:
        return Counter()
    if rows is not None and rows.complete:
        labeled = rows.kind == "labeled-texts" and rows.labels is not None and len(rows) > 1
        return Counter(_name(label) for label in rows.labels or ()) if labeled else Counter()
    column = next((column for column in training.columns if column.shares), None)
    if not name or column is None or not training.size or len(column.shares) > 1:
        return Counter()
    # One label with all of the rows; more labels may be cut off on the card.
    return Counter({label: training.size for label, share in column.shares.items() if share >= 1})


def _name(label: object) -> str:
    """Return a label as a name: 1 and 1.0 are one label, as for a loss."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _whole(total: int) -> str:
    return f"{total:,} texts"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shown_equal(rows: Rows) -> list[tuple[str, str]]:
    """Return pairs of text columns that are equal in all rows of a card; empty with fewer than two rows."""
    names: Sequence[str] = list(rows.texts)
    if rows.complete or len(rows) < 2:
        return []
    return [
        (first, second)
        for position, first in enumerate(names)
        for second in names[position + 1 :]
        if all(
            isinstance(a, str) and isinstance(b, str) and a.strip() and a.strip() == b.strip()
            for a, b in zip(rows.texts[first], rows.texts[second], strict=True)
        )
    ]
