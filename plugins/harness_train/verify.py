"""Compare claimed scores with measured ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import Finding, HarnessError, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.training import CheckInput

TOLERANCE = 0.005
"""Maximum difference of scores from other versions, machines and precisions."""

_SIMILARITY = re.compile(r"^(?:cosine|dot|max)_|_(?:cosine|dot|max)$")
"""Similarity in the name of a metric of sentence-transformers; our tasks use the model's own similarity."""

_OURS = {"ap": "average_precision", "auc": "roc_auc"}
"""Its name of a metric → ours, for names that differ by more than the similarity."""


def check_claims(training: CheckInput) -> Iterator[Finding]:
    """Measure each claim again, if a task has the name of its dataset."""
    if not training.verify or training.measure is None or not training.claims:
        return
    measured: dict[str, Mapping[str, float] | HarnessError] = {}
    agree, unknown = 0, []
    for claim in training.claims:
        task = _task_name(claim.dataset)
        if task not in measured:
            measured[task] = _measure(training, task)
        scores = measured[task]
        if isinstance(scores, HarnessError):
            unknown.append(f"{claim.metric} on {claim.dataset} ({scores.message})")
            continue
        metric = _metric_name(claim.metric, scores)
        if metric is None:
            unknown.append(f"{claim.metric} on {claim.dataset} (task {task} has {', '.join(scores)})")
        elif abs(scores[metric] - claim.value) > TOLERANCE:
            yield Finding(
                "claim-differs",
                Severity.ERROR,
                f"{claim.metric} on {claim.dataset} is claimed as {claim.value:.4f} and measured as"
                f" {scores[metric]:.4f} ({task}, {metric}): {scores[metric] - claim.value:+.4f}.",
                "Report the measured score; if it was measured on other data, name the data.",
            )
        else:
            agree += 1
    if unknown:
        yield Finding(
            "claim-not-verified",
            Severity.NOTE,
            f"{len(unknown)} of {len(training.claims)} claimed scores could not be measured ({agree} agree):"
            f" {'; '.join(dict.fromkeys(unknown))}.",
            "Name a task file with the claim's data (--task-file), or leave the claim unverified.",
        )


def _measure(training: CheckInput, task: str) -> Mapping[str, float] | HarnessError:
    try:
        return training.measure(task) if training.measure is not None else {}
    except HarnessError as error:
        return error


def _task_name(dataset: str) -> str:
    """Convert the name of a dataset to the form of task names: `STSb dev` and `stsb_dev` to `stsb-dev`."""
    return re.sub(r"[\s_]+", "-", dataset.strip()).lower()


def _metric_name(claimed: str, scores: Mapping[str, float]) -> str | None:
    """Return our name of a metric: `spearman` for `spearman_cosine`, `average_precision` for `cosine_ap`."""
    bare = _SIMILARITY.sub("", claimed)
    return next((name for name in (claimed, bare, _OURS.get(bare, "")) if name in scores), None)
