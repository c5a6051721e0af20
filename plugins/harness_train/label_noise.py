"""Detect labels of pairs without signal, or of which a part was exchanged, by the base's embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness_train.concordance import Concordance, concordance
from harness_train.duplicates import contradicting_pairs, shorten
from harness_train.kernel_regression import pair_kernel, predict_left_out, stratified_folds
from harness_train.label_inversion import SURE as INVERTED
from harness_train.label_inversion import is_number
from harness_train.label_mixture import Exchanged, fit_exchanged
from harness_train.row_embeddings import encode_rows, generator_of
from harness_train.similarity_groups import find_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput, Rows

TOLERATED = 0.01
"""Maximum share of exchanged labels that is not held against the labels."""
SURE = 1.645
"""Minimum of the excess, about a standard normal, for a finding: one-sided p of 0.05."""
LEAST, SURELY = 0.04, 0.02
"""Minimum estimated share for a finding, and minimum of the lower end of its 95 % interval.

Of 250 pairs of SNLI, whose labels are right, the base contradicts 6 % (1 % to 11 %): contradictions that were
written to look alike.
"""
NATURAL = 0.05
"""Share that is exceeded, as surely, for a warning: people's own mistakes reach so many.

Northcutt et al. (2021), "Pervasive Label Errors in Test Sets Destabilize Machine Learning Benchmarks", found
3.3 % on average in ten published test sets, and 5.8 % in ImageNet's.
"""
_POWER = 1.645
"""Quantile of the standard normal for a power of 95 %."""
_FEWEST = 60
"""Minimum number of labels near an end of the range."""
_END = 1 / 3
"""Part of the range, at either end, whose scores count as labels 0 and 1."""
NOTHING, AT_CHANCE = 0.7, 0.6
"""Maximum upper end of the interval of a concordance that is called none, and maximum of the concordance."""
LITTLE = 0.7
"""Maximum concordance that is little: the least of sound labels in half of the benchmark's data sets is 0.72.

Of labels that the base tells apart in 9 of 10 comparisons, and of which 35 % are flipped, it is about 0.62.
"""
FEWEST_ROWS = 100
"""Minimum number of rows for saying that labels have no signal."""


def check_label_noise(training: CheckInput) -> Iterator[Finding]:
    """Find labels without signal, or exchanged in part; nothing without a base or without all rows."""
    rows = training.rows
    if rows is not None and rows.labels is not None and rows.kind in ("scored-pairs", "labeled-pairs"):
        yield from _pairs(rows, training)


def _pairs(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    encoded = encode_rows(training, FEWEST_ROWS)
    if encoded is None:
        return
    # Pairs with two labels are `same-pair-two-labels`: one cause, one finding.
    contradicting = {row for same in contradicting_pairs(rows).values() for row in same}
    given = [(rows.labels or ())[row] for row in encoded.rows]
    usable = np.array([
        is_number(label) and row not in contradicting for row, label in zip(encoded.rows, given, strict=True)
    ])  # fmt: skip
    labels = np.array([float(label) for label, kept in zip(given, usable, strict=True) if kept])
    if len(labels) < FEWEST_ROWS or len(np.unique(labels)) < 2:
        return
    left, right = (part[usable] for part in encoded.embeddings)
    similarity = (left * right).sum(axis=1)
    folds = stratified_folds(np.round(labels, 1).tolist(), generator_of(encoded.texts[0]))
    predicted = predict_left_out(pair_kernel(left, right), _standard(labels)[:, None], folds)[:, 0]
    where = [row for row, kept in zip(encoded.rows, usable, strict=True) if kept]
    one, names = [""] * len(labels), list(range(len(labels)))
    by_base = concordance(similarity, labels, one, names)
    by_others = concordance(predicted, labels, one, names)
    if by_base is None or by_others is None:
        return
    # A base that ranks in reverse, as surely as `labels-inverted` wants it, does see a signal.
    if _none(by_base) and _none(by_others) and by_base.below >= INVERTED:
        yield _no_signal(by_base, by_others, len(labels), len(rows))
        return
    told_apart = max(by_base.score, 1 - by_base.score, by_others.score)
    flipped = list(_exchanged(rows, similarity, predicted, labels, where)) if told_apart > AT_CHANCE else []
    yield from flipped
    if not flipped and told_apart < LITTLE:
        yield _little_signal(by_base, by_others, len(labels), len(rows))


def _none(measured: Concordance) -> bool:
    """Whether an association is none: its interval has one half in it, and nothing strong."""
    return measured.low <= 0.5 and measured.high < NOTHING and measured.score < AT_CHANCE


def _no_signal(by_base: Concordance, by_others: Concordance, used: int, total: int) -> Finding:
    return Finding(
        "labels-without-signal",
        Severity.WARNING,
        f"The labels of {used:,} of {total:,} rows have nothing to do with the texts as far as the base"
        f" shows: {_measured(by_base, by_others)}.",
        "Check that each label is in the row of its texts: a column that was sorted or shuffled alone looks"
        " like this, and so does a distinction that the base cannot see.",
    )


def _little_signal(by_base: Concordance, by_others: Concordance, used: int, total: int) -> Finding:
    return Finding(
        "labels-without-signal",
        Severity.NOTE,
        f"The labels of {used:,} of {total:,} rows have little to do with the texts as far as the base shows:"
        f" {_measured(by_base, by_others)}. So it is where a third of the labels is flipped, where half of"
        " them are shuffled, and where the base hardly sees what the labels mean: by these rows the three"
        " cannot be told from each other.",
        "Read some rows with their labels, and find where the labels come from.",
    )


def _measured(by_base: Concordance, by_others: Concordance) -> str:
    return (
        "of two rows with different labels, the one with the higher label is the more similar in"
        f" {by_base.score:.0%} ({by_base.low:.0%} to {by_base.high:.0%}), and is predicted from the other"
        f" rows' embeddings in {by_others.score:.0%} ({by_others.low:.0%} to {by_others.high:.0%})"
    )


def _exchanged(
    rows: Rows, similarity: np.ndarray, predicted: np.ndarray, labels: np.ndarray, where: list[int]
) -> Iterator[Finding]:
    """Find a share of labels at the wrong end of their range.

    Works from 10 % on with about 300 rows where the base tells the labels apart (AUC of 0.85 or more); with
    fewer rows, or a weaker base, from the share on that the finding names.
    """
    position = (labels - labels.min()) / (labels.max() - labels.min())
    ends = np.flatnonzero((position <= _END) | (position >= 1 - _END))
    binary = (position[ends] > 0.5).astype(float)
    if len(ends) < _FEWEST or not 0.02 < binary.mean() < 0.98:
        return
    features = np.column_stack([_standard(similarity), _standard(predicted)])[ends]
    fitted, beyond = _of_groups(similarity[ends], binary) or _of_mixture(features, binary)
    if fitted.excess < SURE or fitted.share < LEAST or fitted.share - 1.96 * fitted.error < SURELY:
        return
    worst = int(ends[fitted.doubt.argmax()])
    label, how = f"{labels[worst]:g}", "at the wrong end of their range"
    remedy = (
        "Look at rows where the base is sure and the label is opposite, and find where the labels come from;"
        f" a part of the sources may have {labels.min():g} and {labels.max():g} exchanged."
    )
    yield exchanged_finding(fitted, rows, (len(ends), where[worst], label, how, remedy), beyond=beyond)


def _of_mixture(features: np.ndarray, binary: np.ndarray) -> tuple[Exchanged, bool]:
    """Return the estimate by the mixture of labels, and whether it is beyond what people get wrong."""
    fitted = fit_exchanged(features, binary, TOLERATED)
    return fitted, fit_exchanged(features, binary, NATURAL).excess >= SURE


def _of_groups(similarity: np.ndarray, binary: np.ndarray) -> tuple[Exchanged, bool] | None:
    """Return the estimate where the similarities are in two groups far apart; None where they are not.

    Labels against their group, in both groups more than are tolerated (binomial tests), were exchanged. Hard
    negatives, or similar pairs that the base misses, are in one of the groups alone. A mixture cannot tell
    this from labels that the base sees badly: it has no values between the groups.
    """
    higher = find_groups(similarity)
    if higher is None:
        return None
    against = binary != higher
    sides = (against[higher], against[~higher])
    share = float(min(side.mean() for side in sides))
    error = (share * (1 - share) / min(map(len, sides))) ** 0.5
    overall = float(against.mean())
    excess, beyond = (min(_excess(side, share) for side in sides) for share in (TOLERATED, NATURAL))
    # More than half of them is `labels-inverted`.
    if excess < SURE or share < LEAST or share - 1.96 * error < SURELY or overall > 0.5:
        return None
    sure = np.abs(similarity - similarity.mean()) * against
    error = (overall * (1 - overall) / len(binary)) ** 0.5
    return Exchanged(overall, error, excess, sure), beyond >= SURE


def _excess(against: np.ndarray, tolerated: float) -> float:
    """Return by how much more of the labels are against their group than tolerated, as a standard normal."""
    from scipy.stats import binom, norm

    count = int(against.sum())
    return float(norm.isf(max(binom.sf(count - 1, len(against), tolerated), 1e-12)))


def exchanged_finding(
    fitted: Exchanged, rows: Rows, seen: tuple[int, int, str, str, str], *, beyond: bool
) -> Finding:
    """Return the finding; seen: number of rows, row of the example, its label, what is wrong, the remedy."""
    used, row, label, how, remedy = seen
    low, high = max(fitted.share - 1.96 * fitted.error, 0.0), min(fitted.share + 1.96 * fitted.error, 1.0)
    seen_from = max(
        TOLERATED + (SURE + _POWER) * fitted.error,
        LEAST + _POWER * fitted.error,
        SURELY + (1.96 + _POWER) * fitted.error,
    )
    texts = " and ".join(repr(shorten(cells[row])) for cells in rows.texts.values())
    natural = "" if beyond else f" Up to {NATURAL:.0%} may be mistakes of people, as in many published sets."
    return Finding(
        "labels-flipped",
        Severity.WARNING if beyond else Severity.NOTE,
        f"About {fitted.share:.0%} of the labels ({low:.0%} to {high:.0%}, from {used:,} rows) are {how},"
        f" such as {label} in row {row + 1} for {texts}: by the base's embeddings the labels are told apart,"
        f" and yet so many contradict it where it is sure. With these rows a share from {seen_from:.0%} on is"
        f" found in 95 of 100 cases.{natural}",
        remedy,
    )


def _standard(values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    standardized: np.ndarray = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return standardized
