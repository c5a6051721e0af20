"""Predict labels from the embeddings of other rows: kernel ridge regression, cross-validated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOLDS, _FOLDS_OF_MANY, _MANY = 10, 5, 800
"""Number of folds; and of more rows than _MANY, where fewer cost little."""
_RIDGES = (0.03, 0.3, 3.0)
"""Ridges that are tried, as multiples of the mean diagonal of the kernel."""


def pair_kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the kernel of pairs, (n, n), from embeddings of length 1, (n, dim) each.

    It is the sum of linear kernels of both texts, of the absolute difference and of the product of their
    embeddings (the features of InferSent: Conneau et al., 2017), each scaled to a mean diagonal of 1.
    """
    parts = (left, right, np.abs(left - right), left * right)
    return np.sum([_scaled(part) for part in parts], axis=0)


def text_kernel(embeddings: np.ndarray) -> np.ndarray:
    """Return the linear kernel of centered texts, (n, n), with a mean diagonal of 1."""
    return _scaled(embeddings)


def predict_left_out(kernel: np.ndarray, targets: np.ndarray, folds: Sequence[int]) -> np.ndarray:
    """Predict each row by a regression on the other folds: (n, k).

    kernel: (n, n). targets: (n, k) float. folds: (n,) fold of each row. The ridge with the least squared
    error over all left-out rows is taken.
    """
    from scipy.linalg import solve

    fold = np.asarray(folds)
    diagonal = float(np.mean(np.diag(kernel))) or 1.0
    best, least = np.zeros_like(targets), np.inf
    for ridge in _RIDGES:
        predicted = np.zeros_like(targets)
        for left_out in np.unique(fold):
            out, rest = fold == left_out, fold != left_out
            mean = targets[rest].mean(axis=0)
            gram = kernel[np.ix_(rest, rest)] + ridge * diagonal * np.eye(int(rest.sum()))
            solved = solve(gram, targets[rest] - mean, assume_a="pos")
            predicted[out] = mean + kernel[np.ix_(out, rest)] @ solved
        error = float(((predicted - targets) ** 2).sum())
        if error < least:
            best, least = predicted, error
    return best


def stratified_folds(classes: Sequence[object], generator: np.random.Generator) -> np.ndarray:
    """Return a fold for each row, with the classes spread evenly over the folds: (n,)."""
    names = np.unique(np.array([str(name) for name in classes]), return_inverse=True)[1]
    shuffled = generator.permutation(len(names))
    order = shuffled[np.argsort(names[shuffled], kind="stable")]
    folds = np.empty(len(names), dtype=int)
    folds[order] = np.arange(len(names)) % (_FOLDS if len(names) <= _MANY else _FOLDS_OF_MANY)
    return folds


def _scaled(features: np.ndarray) -> np.ndarray:
    centered = (features - features.mean(axis=0)).astype(float)
    kernel: np.ndarray = centered @ centered.T
    scale = float(np.mean(np.diag(kernel)))
    return kernel / scale if scale > 0 else kernel
