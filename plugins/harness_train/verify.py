"""Are claimed scores those that are measured?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness import Finding, HarnessError, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.training import CheckInput

TOLERANCE = 0.005
"""What other versions, machines and precisions may move a score by."""

_SIMILARITY = re.compile(r"^(?:cosine|dot|max)_|_(?:cosine|dot|max)$")
"""How sentence-transformers says by which similarity a metric was taken; our tasks take the model's own."""

_OURS = {"ap": "average_precision", "auc": "roc_auc"}
"""Its name of a metric → ours, where they differ by more."""


def check_claims(training: CheckInput) -> Iterator[Finding]:
    """Measure again what is claimed, where a task of ours has that name."""
    if not training.verify or training.measure is None or not training.claims:
        return
    measured: dict[str, Mapping[str, float] | HarnessError] = {}
    agree, unknown = 0, []
    for claim in training.claims:
        task = _task_name(claim.dataset)
        if task not in measured:
            measured[task] = _measured(training, task)
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
                "Report what is measured; if the data was another, say which.",
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


def _measured(training: CheckInput, task: str) -> Mapping[str, float] | HarnessError:
    try:
        return training.measure(task) if training.measure is not None else {}
    except HarnessError as error:
        return error


def _task_name(dataset: str) -> str:
    """Write a data set's name as tasks are named: `STSb dev` and `stsb_dev` are `stsb-dev`."""
    return re.sub(r"[\s_]+", "-", dataset.strip()).lower()


def _metric_name(claimed: str, scores: Mapping[str, float]) -> str | None:
    """Find our name of a metric: `spearman_cosine` is `spearman`, `cosine_ap` is `average_precision`."""
    bare = _SIMILARITY.sub("", claimed)
    return next((name for name in (claimed, bare, _OURS.get(bare, "")) if name in scores), None)
