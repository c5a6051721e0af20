"""Detect inverted labels and swapped columns by the similarities of the base model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness.authoring import connected_components
from harness_train.concordance import Concordance, concordance, share
from harness_train.row_embeddings import draw_rows, encode_once, generator_of, is_text, unit
from harness_train.triplet_order import belong_to_others, ordered_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput, Rows

SURE, CERTAIN = 0.01, 0.001
"""Maximum one-sided p for a warning, and for an error: of a thousand sound sets one would be accused."""
FEWEST_OTHER = 12
"""Minimum number of rows with another label than the most common one: fewer are too few to be accused."""
_REPEATED = 5
"""Minimum number of rows per distinct text for comparing only rows of the same text."""
_FEWEST_COMPONENTS = 20
"""Minimum number of connected components that are used as clusters."""
_RELATED = 0.65
"""Minimum upper end of the interval of own positives nearer than other anchors', for matching columns."""

SENSE = {
    "ContrastiveLoss": "pulls pairs of label 1 together and pushes those of label 0 apart",
    "OnlineContrastiveLoss": "pulls pairs of label 1 together and pushes those of label 0 apart",
    "CosineSimilarityLoss": "makes the cosine of a pair equal its label, so that 1 means similar",
    "CoSENTLoss": "makes pairs of a higher score more similar than those of a lower one",
    "AnglELoss": "makes pairs of a higher score more similar than those of a lower one",
}
"""Loss → what it does with labels, for evidence."""


def check_inversion(training: CheckInput) -> Iterator[Finding]:
    """Find inverted labels or swapped columns; nothing without a base or without all rows."""
    rows = training.rows
    if training.base is None or rows is None or not rows.complete:
        return
    if rows.kind in ("scored-pairs", "labeled-pairs"):
        yield from _pairs(rows, training)
    elif rows.kind == "triplets":
        yield from _triplets(rows, training)


def is_number(cell: object) -> bool:
    """Whether a label is a finite number."""
    return isinstance(cell, int | float) and math.isfinite(cell)


def _pairs(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    left, right = rows.texts.values()
    labels = rows.labels or ()
    usable = [
        row
        for row in range(len(rows))
        if is_number(labels[row]) and is_text(left[row]) and is_text(right[row])
    ]
    drawn = draw_rows(usable, left)
    values = np.array([float(labels[row]) for row in drawn])
    most_common = int(np.unique(values, return_counts=True)[1].max()) if len(values) else 0
    if len(values) - most_common < FEWEST_OTHER or training.base is None:
        return
    texts = ([left[row] for row in drawn], [right[row] for row in drawn])
    model = training.base()
    similarity = model.pairwise_similarity(*encode_once(model, *texts)).astype(float)
    measured = _measure(similarity, values, texts, tuple(rows.texts))
    if measured is None or measured[0].below >= SURE:
        return
    result, how = measured
    binary = len(np.unique(values)) == 2
    metric = "AUC of its similarity against the label" if binary else "concordance of similarity and score"
    yield Finding(
        "labels-inverted",
        Severity.ERROR if result.below < CERTAIN else Severity.WARNING,
        f"The base finds pairs more similar the lower their label is: {metric} {result}, over {len(drawn)} of"
        f" {len(rows)} rows{how}. {training.loss_name or 'The loss'}"
        f" {SENSE.get(training.loss_name, 'pulls pairs of the highest label together')}.",
        "Exchange the values of the labels (data.labels in the recipe), or reverse the scores; if the"
        " dissimilar pairs were chosen because this base finds them similar, --allow labels-inverted.",
    )


def _measure(
    similarity: np.ndarray,
    labels: np.ndarray,
    texts: tuple[list[str], list[str]],
    names: tuple[str, ...],
) -> tuple[Concordance, str] | None:
    """Measure over all pairs or, if the texts of one side recur, among the pairs of each of these texts.

    Similarities to different hypotheses have no common scale, and the share of labels differs between
    them. The choice depends on the texts only.
    """
    one_stratum = [""] * len(labels)
    recurring = min((0, 1), key=lambda side: len(set(texts[side])))
    plain = concordance(similarity, labels, one_stratum, _sources(texts, 1 - recurring))
    different = len(set(texts[recurring]))
    if len(labels) < _REPEATED * different or different < 2:
        return None if plain is None else (plain, "")
    within = concordance(similarity, labels, texts[recurring], texts[1 - recurring])
    if within is None or plain is None:
        return None if plain is None else (plain, "")
    how = f", among pairs with the same {names[recurring]} ({different} texts); over all pairs it is {plain}"
    return within, how


def _sources(texts: tuple[list[str], list[str]], other: int) -> Sequence[str]:
    """Return clusters of rows: connected components or, if there are too few, the other side's texts."""
    components = connected_components(*texts)
    return components if len(set(components)) >= _FEWEST_COMPONENTS else texts[other]


def _triplets(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    columns = list(rows.texts.values())
    usable = [row for row in range(len(rows)) if all(is_text(column[row]) for column in columns)]
    usable = [usable[row] for row in ordered_rows(*([column[row] for row in usable] for column in columns))]
    drawn = draw_rows(usable, columns[0])
    if len(drawn) < 2 or training.base is None:
        return
    anchors, positives, negatives = ([column[row] for row in drawn] for column in columns)
    model = training.base()
    anchor, positive, negative = encode_once(model, anchors, positives, negatives)
    near = model.pairwise_similarity(anchor, positive).astype(float)
    result = share(_wins(near, model.pairwise_similarity(anchor, negative)), anchors)
    if result.below >= SURE or belong_to_others(unit(anchor), unit(positive), unit(negative), positives):
        return
    others = _others(anchors, positives)
    paired = others >= 0
    random = model.pairwise_similarity(anchor[paired], positive[others[paired]])
    clusters = [anchors[row] for row in np.flatnonzero(paired)]
    own = share(_wins(near[paired], random), clusters) if clusters else None
    swapped = own is not None and own.high < _RELATED
    why = "as if drawn by chance" if swapped else "as also with hard negatives"
    more = "" if own is None else f" Own positives are nearer than other anchors' in {own.score:.0%}, {why}."
    yield Finding(
        "columns-swapped",
        Severity.ERROR if swapped else Severity.WARNING,
        f"The base finds the positive nearer to the anchor than the negative in too few triplets: {result} of"
        f" {len(drawn)}. {training.loss_name or 'The loss'} takes anchor, positive and negative in this"
        f" order.{more}",
        "Exchange positive and negative (data.columns in the recipe) if they are swapped; hard negatives,"
        " chosen because a model finds them similar, look the same and are correct.",
    )


def _others(anchors: list[str], positives: list[str]) -> np.ndarray:
    """Return for each row another one with another anchor and positive, drawn by content; else -1: (n,)."""
    drawn = enumerate(generator_of(anchors).permutation(len(anchors)))
    differ = (
        other if anchors[other] != anchors[row] and positives[other] != positives[row] else -1
        for row, other in drawn
    )
    return np.fromiter(differ, dtype=int, count=len(anchors))


def _wins(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Return 1 where near is more similar than far, 0 where less, 0.5 for ties: (n,)."""
    won: np.ndarray = (np.sign(near - far) + 1) / 2
    return won
