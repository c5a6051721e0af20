"""Do the labels, or the order of the columns, say the opposite of what the base model sees?"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np

from harness import Finding, Severity
from harness.authoring import connected_components, interval_seed
from harness_train.concordance import Concordance, concordance, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness import Model
    from harness.training import CheckInput, Rows

MOST_ROWS = 2000
"""Rows that the base model reads: half a minute of long texts on two cores."""
SURE = 0.01
"""One-sided p below which labels are called inverted."""
_REPEATED = 5
"""Rows per distinct text from which on a column's texts are compared each by itself."""
_FEWEST_COMPONENTS = 20
_RELATED = 0.65
"""Share of own positives nearer than strangers' that must lie above the interval of drawn ones."""

SENSE = {
    "ContrastiveLoss": "pulls pairs of label 1 together and pushes those of label 0 apart",
    "OnlineContrastiveLoss": "pulls pairs of label 1 together and pushes those of label 0 apart",
    "CosineSimilarityLoss": "makes the cosine of a pair equal its label, so that 1 means alike",
    "CoSENTLoss": "makes pairs of a higher score more similar than those of a lower one",
    "AnglELoss": "makes pairs of a higher score more similar than those of a lower one",
}
"""What each loss does with a label."""


def check_inversion(training: CheckInput) -> Iterator[Finding]:
    """Ask the base model; silent where there is none, or where the card's few rows are all there is."""
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
        if is_number(labels[row]) and _is_text(left[row]) and _is_text(right[row])
    ]
    drawn = _drawn(usable, left)
    values = np.array([float(labels[row]) for row in drawn])
    if len(np.unique(values)) < 2 or training.base is None:
        return
    texts = ([left[row] for row in drawn], [right[row] for row in drawn])
    model = training.base()
    similarity = model.pairwise_similarity(*_encoded(model, *texts)).astype(float)
    found = _judged(similarity, values, texts, tuple(rows.texts))
    if found is None or found[0].below >= SURE:
        return
    measured, how = found
    binary = len(np.unique(values)) == 2
    what = "AUC of its similarity against the label" if binary else "concordance of similarity and score"
    yield Finding(
        "labels-inverted",
        Severity.ERROR,
        f"The base finds pairs more similar the lower their label is: {what} {measured}, over {len(drawn)} of"
        f" {len(rows)} rows{how}. {training.loss_name or 'The loss'}"
        f" {SENSE.get(training.loss_name, 'takes the highest label for alike')}.",
        "Give each label the other's value (data.labels in the recipe), or turn the scores round; if the"
        " dissimilar pairs were chosen because this base takes them for similar, --allow labels-inverted.",
    )


def _judged(
    similarity: np.ndarray,
    labels: np.ndarray,
    texts: tuple[list[str], list[str]],
    names: tuple[str, ...],
) -> tuple[Concordance, str] | None:
    """Measure over all pairs; where one side's texts recur, among the pairs of each of them instead.

    Similarities to different hypotheses are on no common scale, and the share of labels differs between
    them. Which way is taken follows from the texts alone.
    """
    nowhere = [""] * len(labels)
    recurring = min((0, 1), key=lambda side: len(set(texts[side])))
    plain = concordance(similarity, labels, nowhere, _sources(texts, 1 - recurring))
    different = len(set(texts[recurring]))
    if len(labels) < _REPEATED * different or different < 2:
        return None if plain is None else (plain, "")
    within = concordance(similarity, labels, texts[recurring], texts[1 - recurring])
    if within is None or plain is None:
        return None if plain is None else (plain, "")
    how = f", among pairs with the same {names[recurring]} ({different} texts); over all pairs it is {plain}"
    return within, how


def _sources(texts: tuple[list[str], list[str]], other: int) -> Sequence[str]:
    """Name what rows were drawn with: texts in a chain of pairs, or a side's text where all are in one."""
    components = connected_components(*texts)
    return components if len(set(components)) >= _FEWEST_COMPONENTS else texts[other]


def _triplets(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    columns = list(rows.texts.values())
    usable = [row for row in range(len(rows)) if all(_is_text(column[row]) for column in columns)]
    drawn = _drawn(usable, columns[0])
    if len(drawn) < 2 or training.base is None:
        return
    anchors, positives, negatives = ([column[row] for row in drawn] for column in columns)
    model = training.base()
    anchor, positive, negative = _encoded(model, anchors, positives, negatives)
    near = model.pairwise_similarity(anchor, positive).astype(float)
    found = share(_wins(near, model.pairwise_similarity(anchor, negative)), anchors)
    if found.below >= SURE:
        return
    others = _others(anchors, positives)
    told = others >= 0
    strange = model.pairwise_similarity(anchor[told], positive[others[told]])
    clusters = [anchors[row] for row in np.flatnonzero(told)]
    own = share(_wins(near[told], strange), clusters) if clusters else None
    swapped = own is not None and own.high < _RELATED
    why = "as if drawn by chance" if swapped else "as beside hard negatives too"
    more = "" if own is None else f" Own positives are nearer than strangers' in {own.score:.0%}, {why}."
    yield Finding(
        "columns-swapped",
        Severity.ERROR if swapped else Severity.WARNING,
        f"The base finds the positive nearer to the anchor than the negative in too few triplets: {found} of"
        f" {len(drawn)}. {training.loss_name or 'The loss'} takes anchor, positive and negative in this"
        f" order.{more}",
        "Exchange positive and negative (data.columns in the recipe) if they are swapped; negatives chosen"
        " because a model takes them for similar look the same, and are right as they are.",
    )


def _others(anchors: list[str], positives: list[str]) -> np.ndarray:
    """For each row another one, drawn by their content, of another anchor and positive; else -1: (n,)."""
    drawn = enumerate(_generator(anchors).permutation(len(anchors)))
    differ = (
        other if anchors[other] != anchors[row] and positives[other] != positives[row] else -1
        for row, other in drawn
    )
    return np.fromiter(differ, dtype=int, count=len(anchors))


def _wins(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    won: np.ndarray = (np.sign(near - far) + 1) / 2
    return won


def _drawn(usable: list[int], texts: Sequence[str]) -> list[int]:
    """Draw rows by their content, so that the same rows are always judged alike."""
    if len(usable) <= MOST_ROWS:
        return usable
    generator = _generator([texts[row] for row in usable])
    return sorted(usable[place] for place in generator.choice(len(usable), MOST_ROWS, replace=False))


def _generator(texts: Sequence[str]) -> np.random.Generator:
    content = hashlib.sha256("\0".join(texts).encode(errors="surrogatepass"))
    return np.random.default_rng(interval_seed(content.hexdigest(), "labels", "rows"))


def _encoded(model: Model, *columns: list[str]) -> list[np.ndarray]:
    """Encode every distinct text once."""
    distinct = list(dict.fromkeys(text for column in columns for text in column))
    place = {text: row for row, text in enumerate(distinct)}
    embeddings = model.encode(distinct)
    return [embeddings[[place[text] for text in column]] for column in columns]


def _is_text(cell: object) -> bool:
    return isinstance(cell, str) and bool(cell.strip())
