"""Detect labels without signal, and labels of which a part was exchanged, by the base's embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness_train.concordance import Concordance, concordance
from harness_train.duplicates import shorten
from harness_train.kernel_regression import pair_kernel, predict_left_out, stratified_folds, text_kernel
from harness_train.label_inversion import is_number
from harness_train.label_mixture import Exchanged, fit_exchanged
from harness_train.row_embeddings import EncodedRows, encode_rows, generator_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput, Rows

TOLERATED = 0.01
"""Maximum share of exchanged labels that is not held against the labels."""
SURE = 1.645
"""Minimum of the excess, about a standard normal, for a finding: one-sided p of 0.05."""
LEAST = 0.04
"""Minimum estimated share for a finding."""
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
NOTHING = 0.65
"""Maximum upper end of the interval of a concordance that is called none."""
_KAPPA = 0.15
"""Maximum upper end of the interval of the agreement beyond chance with classes that is called none."""
_FEWEST_CLASSES, _FLAT = 4, 0.55
"""Minimum number of classes, and minimum ratio of the densities of far ranks and of those before."""
_FEWEST_ROWS = 100
"""Minimum number of rows for saying that labels have no signal."""


def check_label_noise(training: CheckInput) -> Iterator[Finding]:
    """Find labels without signal, or exchanged in part; nothing without a base or without all rows."""
    rows = training.rows
    if rows is None or rows.labels is None:
        return
    if rows.kind in ("scored-pairs", "labeled-pairs"):
        yield from _pairs(rows, training)
    elif rows.kind == "labeled-texts":
        yield from _classes(rows, training)


def _pairs(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    encoded = encode_rows(training, _FEWEST_ROWS)
    if encoded is None:
        return
    given = [(rows.labels or ())[row] for row in encoded.rows]
    usable = np.array([is_number(label) for label in given])
    labels = np.array([float(label) for label in given if is_number(label)])
    if len(labels) < _FEWEST_ROWS or len(np.unique(labels)) < 2:
        return
    left, right = (part[usable] for part in encoded.embeddings)
    similarity = (left * right).sum(axis=1)
    folds = stratified_folds(np.round(labels, 1).tolist(), generator_of(encoded.texts[0]))
    predicted = predict_left_out(pair_kernel(left, right), _standard(labels)[:, None], folds)[:, 0]
    where = [row for row, kept in zip(encoded.rows, usable, strict=True) if kept]
    one, names = [""] * len(labels), list(range(len(labels)))
    by_base = concordance(similarity, labels, one, names)
    by_others = concordance(predicted, labels, one, names)
    if by_base is not None and by_others is not None and _none(by_base) and _none(by_others):
        yield _no_signal(by_base, by_others, len(labels), len(rows))
        return
    features = np.column_stack([_standard(similarity), _standard(predicted)])
    yield from _exchanged(rows, features, labels, where)


def _none(measured: Concordance) -> bool:
    """Whether an association is none: its interval has one half in it, and nothing strong."""
    return measured.low <= 0.5 and measured.high < NOTHING


def _no_signal(by_base: Concordance, by_others: Concordance, used: int, total: int) -> Finding:
    return Finding(
        "labels-without-signal",
        Severity.WARNING,
        f"The labels of {used:,} of {total:,} rows have nothing to do with the texts as far as the base"
        f" shows: of two rows with different labels, the one with the higher label is the more similar in"
        f" {by_base.score:.0%} ({by_base.low:.0%} to {by_base.high:.0%}), and is predicted from the other"
        f" rows' embeddings in {by_others.score:.0%} ({by_others.low:.0%} to {by_others.high:.0%}).",
        "Check that each label is in the row of its texts: a column that was sorted or shuffled alone looks"
        " like this, and so does a distinction that the base cannot see.",
    )


def _exchanged(rows: Rows, features: np.ndarray, labels: np.ndarray, where: list[int]) -> Iterator[Finding]:
    """Find a share of labels at the wrong end of their range.

    Works from 10 % on with about 300 rows where the base tells the labels apart (AUC of 0.85 or more); with
    fewer rows, or a weaker base, from the share on that the finding names.
    """
    position = (labels - labels.min()) / (labels.max() - labels.min())
    ends = np.flatnonzero((position <= _END) | (position >= 1 - _END))
    binary = (position[ends] > 0.5).astype(float)
    if len(ends) < _FEWEST or not 0.02 < binary.mean() < 0.98:
        return
    fitted = fit_exchanged(features[ends], binary, TOLERATED)
    if fitted.excess < SURE or fitted.share < LEAST:
        return
    worst = int(ends[fitted.doubt.argmax()])
    beyond = fit_exchanged(features[ends], binary, NATURAL).excess >= SURE
    label, how = f"{labels[worst]:g}", "at the wrong end of their range"
    yield _exchanged_finding(fitted, rows, len(ends), where[worst], label, how, beyond=beyond)


def _exchanged_finding(
    fitted: Exchanged, rows: Rows, used: int, row: int, label: str, how: str, *, beyond: bool
) -> Finding:
    low, high = max(fitted.share - 1.96 * fitted.error, 0.0), min(fitted.share + 1.96 * fitted.error, 1.0)
    seen_from = TOLERATED + (SURE + _POWER) * fitted.error
    texts = " and ".join(repr(shorten(cells[row])) for cells in rows.texts.values())
    natural = "" if beyond else f" Up to {NATURAL:.0%} may be mistakes of people, as in many published sets."
    return Finding(
        "labels-flipped",
        Severity.WARNING if beyond else Severity.NOTE,
        f"About {fitted.share:.0%} of the labels ({low:.0%} to {high:.0%}, from {used:,} rows) are {how},"
        f" such as {label} in row {row + 1} for {texts}: by the base's embeddings the labels are told apart,"
        f" and yet so many contradict it where it is sure. With these rows a share from {seen_from:.0%} on is"
        f" found in 95 of 100 cases.{natural}",
        "Look at rows where the base is sure and the label is opposite, and find where the labels come from;"
        " a part of the sources may have 0 and 1 exchanged.",
    )


def _classes(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    """Find classes without signal, or given to the wrong texts in part, from the classes of other texts.

    Each text's class is predicted from the other texts' embeddings and classes (ridge regression).
    """
    encoded = encode_rows(training, _FEWEST_ROWS)
    if encoded is None:
        return
    names = np.array([str((rows.labels or ())[row]) for row in encoded.rows])
    classes, index, counts = np.unique(names, return_inverse=True, return_counts=True)
    recurring = np.flatnonzero(counts[index] >= 2)
    if len(classes) < 2 or len(recurring) < _FEWEST_ROWS:
        return
    index = index[recurring]
    targets = np.eye(len(classes))[index]
    folds = stratified_folds(index.tolist(), generator_of(encoded.texts[0]))
    kernel = text_kernel(encoded.embeddings[0][recurring])
    predicted = predict_left_out(kernel, targets, folds)
    agrees = (predicted.argmax(axis=1) == index).astype(float)
    kappa, error = _agreement(predicted.argmax(axis=1), index, len(classes))
    if kappa + 1.96 * error < _KAPPA and kappa - 1.96 * error <= 0:
        yield _no_classes(kappa, error, float(agrees.mean()), len(index), len(classes))
        return
    yield from _wrong_classes(rows, encoded, recurring, predicted, index)


def _wrong_classes(
    rows: Rows, encoded: EncodedRows, used: np.ndarray, predicted: np.ndarray, index: np.ndarray
) -> Iterator[Finding]:
    """Find texts whose class ranks among all classes as one drawn by chance.

    The share of classes in the worse half of the ranks, over that of a uniform rank, estimates the share of
    exchanged classes (Storey, 2002); natural confusions are with the next classes, and are not flat.
    """
    count = predicted.shape[1]
    if count < _FEWEST_CLASSES:
        return
    own = np.take_along_axis(predicted, index[:, None], axis=1)
    ranks = (predicted > own).sum(axis=1)
    far, between = ranks > (count - 1) / 2, (ranks > 0) & (ranks <= (count - 1) / 2)
    steps = np.arange(count)
    uniform = float((steps > (count - 1) / 2).mean())
    before = float(((steps > 0) & (steps <= (count - 1) / 2)).mean())
    share, error = far.mean() / uniform, (far.mean() * (1 - far.mean()) / len(far)) ** 0.5 / uniform
    flat = share * before / max(float(between.mean()), 1 / len(far))
    if share - SURE * error < TOLERATED or share < LEAST or flat < _FLAT:
        return
    worst = int(ranks.argmax())
    fitted = Exchanged(float(min(share, 1.0)), float(error), SURE, ranks.astype(float))
    row = encoded.rows[int(used[worst])]
    label = repr(shorten((rows.labels or ())[row]))
    beyond = share - SURE * error >= NATURAL
    how = "not those that their texts have"
    yield _exchanged_finding(fitted, rows, len(used), row, label, how, beyond=beyond)


def _agreement(predicted: np.ndarray, index: np.ndarray, classes: int) -> tuple[float, float]:
    """Return agreement beyond chance (Cohen's kappa, 1960) and its standard error."""
    observed = float((predicted == index).mean())
    shares = (np.bincount(values, minlength=classes) / len(index) for values in (predicted, index))
    chance = float(np.multiply(*shares).sum())
    if chance >= 1:
        return 0.0, 0.0
    error = max(observed * (1 - observed), chance * (1 - chance)) ** 0.5 / len(index) ** 0.5
    return (observed - chance) / (1 - chance), error / (1 - chance)


def _no_classes(kappa: float, error: float, right: float, used: int, classes: int) -> Finding:
    return Finding(
        "labels-without-signal",
        Severity.WARNING,
        f"The classes of {used:,} texts have nothing to do with their texts as far as the base shows:"
        f" predicted from the others' embeddings, one of {classes} classes is right in {right:.0%}, which is"
        f" {kappa:.2f} ± {1.96 * error:.2f} beyond chance (kappa).",
        "Check that each label is in the row of its text: a column that was sorted or shuffled alone looks"
        " like this, and so do classes that the base cannot see.",
    )


def _standard(values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    standardized: np.ndarray = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return standardized
