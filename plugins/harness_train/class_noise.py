"""Detect classes of texts without signal, or given to the wrong texts in part, by the base's embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness_train.duplicates import shorten
from harness_train.kernel_regression import predict_left_out, stratified_folds, text_kernel
from harness_train.label_mixture import Exchanged
from harness_train.label_noise import FEWEST_ROWS, LEAST, NATURAL, SURE, SURELY, exchanged_finding
from harness_train.row_embeddings import EncodedRows, encode_rows, generator_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.training import CheckInput, Rows

_KAPPA, _KAPPA_LOW = 0.3, 0.05
"""Maximum upper and lower end of the interval of an agreement beyond chance that is called none."""
_MOST_WRONG = 0.9
"""Minimum upper end of the interval of the share of wrong classes at which all of them may be wrong."""
_FEWEST_CLASSES, _FLAT = 4, 0.55
"""Minimum number of classes, and minimum ratio of the densities of far ranks and of those before."""


def check_class_noise(training: CheckInput) -> Iterator[Finding]:
    """Find classes without signal, or given to the wrong texts in part, from the classes of other texts.

    Each text's class is predicted from the other texts' embeddings and classes (ridge regression). Nothing
    without a base or without all rows.
    """
    rows = training.rows
    if rows is None or rows.labels is None or rows.kind != "labeled-texts":
        return
    encoded = encode_rows(training, FEWEST_ROWS)
    if encoded is None:
        return
    names = np.array([str((rows.labels or ())[row]) for row in encoded.rows])
    _, every, counts = np.unique(names, return_inverse=True, return_counts=True)
    recurring = np.flatnonzero(counts[every] >= 2)
    # A class of one text is predicted for no other: among the ranks it would only dilute them.
    classes, index = np.unique(names[recurring], return_inverse=True)
    if len(classes) < 2 or len(recurring) < FEWEST_ROWS:
        return
    targets = np.eye(len(classes))[index]
    folds = stratified_folds(index.tolist(), generator_of(encoded.texts[0]))
    kernel = text_kernel(encoded.embeddings[0][recurring])
    predicted = predict_left_out(kernel, targets, folds)
    agrees = (predicted.argmax(axis=1) == index).astype(float)
    kappa, error = _agreement(predicted.argmax(axis=1), index, len(classes))
    if kappa + 1.96 * error < _KAPPA and kappa - 1.96 * error <= _KAPPA_LOW:
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
    if share - 1.96 * error < SURELY or share < LEAST or flat < _FLAT or share + 1.96 * error > _MOST_WRONG:
        return
    worst = int(ranks.argmax())
    fitted = Exchanged(float(min(share, 1.0)), float(error), SURE, ranks.astype(float))
    row = encoded.rows[int(used[worst])]
    label = repr(shorten((rows.labels or ())[row]))
    beyond = share - SURE * error >= NATURAL
    how = "not those that their texts have"
    remedy = (
        "Look at texts whose class is far from that of the texts like them, and find where the labels come"
        " from; the labels of a part of the sources may be those of other rows."
    )
    yield exchanged_finding(fitted, rows, (len(used), row, label, how, remedy), beyond=beyond)


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
