"""A probe, a threshold and majority baselines for pairs; test answers are never fitted on.

The features of a pair are [|u − v|, u · v elementwise], after Conneau et al. (2017), "Supervised Learning
of Universal Sentence Representations from Natural Language Inference Data" (without u and v themselves).
Each is scaled to mean 0 and variance 1 on train, and C is divided by their number, as if the features
had a squared length of 1 on average: models differ in the length and the dimension of their embeddings,
and without this one grid of C would regularize one model weakly and another strongly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Dataset, Model

GRID = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Inverse regularization strengths; the first of those that are equal on dev is used."""
WITHOUT_DEV = 1.0
"""C without a dev split: the middle of the grid."""
_TOLERANCE, _MAX_STEPS = 1e-5, 20_000
"""Strict enough that classes do not depend on where L-BFGS stops; it takes some hundred steps."""
_FEATURES_PER_ROW = 4
"""Minimum features per train row at which finding a basis first is faster."""
_MIN_PROBABILITY = 1e-12
"""Minimum probability in the log loss."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Embedded pairs: two (n, dim) float32, and n gold classes."""

    clauses: np.ndarray
    hypotheses: np.ndarray
    gold: np.ndarray

    @classmethod
    def of(cls, model: Model, dataset: Dataset) -> Pairs:
        """Embed the columns `clause` and `hypothesis`."""
        clauses, hypotheses = model.encode(dataset["clause"]), model.encode(dataset["hypothesis"])
        return cls(clauses, hypotheses, np.asarray(dataset["gold"]))

    def similarity(self, model: Model) -> np.ndarray:
        """Return the model's own similarity of clause and hypothesis: (n,) float64, as thresholds are."""
        return model.pairwise_similarity(self.clauses, self.hypotheses).astype(float)

    def features(self) -> np.ndarray:
        """Return [|u − v|, u · v] of the raw embeddings: (n, 2 dim) float64, in which the fit converges."""
        left, right = self.clauses.astype(float), self.hypotheses.astype(float)
        return np.hstack([np.abs(left - right), left * right])


def probe_classes(train: Pairs, dev: Pairs | None, evaluated: Pairs) -> tuple[np.ndarray, float]:
    """Fit a logistic regression on train and classify the evaluated pairs: (n,) classes, and its C.

    C is the one of GRID with the lowest log loss on dev: a proper score, with less variance than accuracy
    on a small split. Raises HarnessError if train has fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(train.gold)) < 2:
        raise HarnessError(
            f"all {len(train.gold)} train rows are of the class {train.gold[0]}: a probe needs two",
            hint="give a train split with two classes, or leave `train` out of the task file",
        )
    # In place: the features of one split take the most memory.
    scaler = StandardScaler(copy=False).fit(train.features())
    splits = (train, evaluated) if dev is None else (train, evaluated, dev)
    features, test, *tuned = _project_to_row_space([scaler.transform(split.features()) for split in splits])
    # Each fit starts from the previous, more regularized one; the result does not depend on the start.
    probe = LogisticRegression(tol=_TOLERANCE, max_iter=_MAX_STEPS, random_state=0, warm_start=True)
    fits = []
    for strength in GRID if dev is not None else (WITHOUT_DEV,):
        probe.set_params(C=strength / scaler.n_features_in_).fit(features, train.gold)
        loss = _log_loss(probe, tuned[0], dev.gold) if dev is not None else 0.0
        fits.append((loss, strength, probe.predict(test)))
    _, best, predicted = min(fits, key=lambda fit: fit[0])
    return predicted, best


def best_threshold(gold: np.ndarray, similarity: np.ndarray) -> float:
    """Return the threshold of similarity that classifies the most of these pairs correctly.

    gold: (n,) 1 or 0; similarity: (n,) float. Candidates are the lowest score (all positive), the
    middle between each two neighboring scores, and just above the highest (none positive); of
    equally good ones, the lowest is returned.
    """
    scores, group = np.unique(similarity, return_inverse=True)
    positives = np.bincount(group, weights=gold, minlength=len(scores))
    negatives = np.bincount(group, weights=1 - gold, minlength=len(scores))
    right = np.r_[0, np.cumsum(negatives)] + np.r_[np.cumsum(positives[::-1])[::-1], 0]
    cuts = np.r_[scores[0], (scores[1:] + scores[:-1]) / 2, np.nextafter(scores[-1], np.inf)]
    return float(cuts[np.argmax(right)])


def majority(gold: Sequence[Any]) -> Any:  # noqa: ANN401 - a class: a number or a word
    """Return the most frequent class; of equally frequent ones the largest, whatever the order of rows."""
    counts = Counter(gold)
    most = max(counts.values())
    return max(value for value, count in counts.items() if count == most)


def majority_by_hypothesis(train: Dataset, hypotheses: Sequence[str]) -> list[Any]:
    """Return each hypothesis' most frequent class in train: a baseline that reads no clause.

    A hypothesis that is not in train gets the most frequent class of all train.
    """
    classes: dict[str, list[Any]] = {}
    for hypothesis, gold in zip(train["hypothesis"], train["gold"], strict=True):
        classes.setdefault(hypothesis, []).append(gold)
    known = {hypothesis: majority(golds) for hypothesis, golds in classes.items()}
    overall = majority(train["gold"])
    return [known.get(hypothesis, overall) for hypothesis in hypotheses]


def _project_to_row_space(splits: list[np.ndarray]) -> list[np.ndarray]:
    """Return features in a basis of the first split's row space, if that has far fewer dimensions.

    A fit with a squared penalty lies in that space: it is the same, and faster.
    """
    rows, features = splits[0].shape
    if _FEATURES_PER_ROW * rows > features:
        return splits
    basis = np.linalg.qr(splits[0].T)[0]
    return [split @ basis for split in splits]


def _log_loss(probe: Any, features: np.ndarray, gold: np.ndarray) -> float:  # noqa: ANN401 - untyped
    """Return the mean −ln of the right class's probability; a class not in train has the minimum."""
    probability = (probe.predict_proba(features) * (gold[:, None] == probe.classes_)).sum(axis=1)
    return float(-np.log(np.maximum(probability, _MIN_PROBABILITY)).mean())
