"""Keep texts of rows out of a report: what records of runs without `--no-texts` may quote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.evaluation.text_cover import WITHHELD

if TYPE_CHECKING:
    from harness.comparison.sources import ModelResults
    from harness.results.records import Evaluation


def model_without_texts(model: ModelResults) -> ModelResults:
    """Return a model whose records quote no text of a row.

    Errors, what findings say and texts that were learned are withheld, as it is not known here what in them
    is a text; those of a run with `--no-texts` have none.
    """
    answered = {
        slot: replace(result, evaluation=_without_texts(result.evaluation))
        for slot, result in model.answered.items()
    }
    return replace(model, answered=answered)


def _without_texts(evaluation: Evaluation) -> Evaluation:
    if evaluation.no_texts or evaluation.status == "broken":  # what is broken is said in our own words
        return evaluation
    return replace(
        evaluation,
        error=None if evaluation.error is None else WITHHELD,
        findings=tuple(replace(finding, evidence=WITHHELD, remedy="") for finding in evaluation.findings),
        fitted={name: _number_or_withheld(value) for name, value in evaluation.fitted.items()},
    )


def _number_or_withheld(value: Any) -> Any:  # noqa: ANN401 - plain data
    return value if value is None or isinstance(value, bool | int | float) else WITHHELD
