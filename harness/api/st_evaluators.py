"""Evaluators of sentence-transformers as tasks: their data, scored as every task is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.tasks.interface import Task

_MODULE = "sentence_transformers"
_KNOWN = (
    "EmbeddingSimilarityEvaluator",
    "TripletEvaluator",
    "BinaryClassificationEvaluator",
    "InformationRetrievalEvaluator",
)


def is_evaluator(value: object) -> bool:
    """Whether a value is an evaluator of sentence-transformers, and not our own; imports nothing."""
    module = sys.modules.get(f"{_MODULE}.base.evaluation.evaluator")
    kind = getattr(module, "BaseEvaluator", None)
    return kind is not None and isinstance(value, kind) and type(value).__module__.startswith(_MODULE)


def task_of_evaluator(evaluator: Any, name: str = "") -> Task:  # noqa: ANN401 - one of _KNOWN
    """Return a task with the data of an evaluator of sentence-transformers.

    name: the task's; the evaluator's own if empty, else its kind. What both compute is equal, up to ties:

    | evaluator | kind | same score |
    |---|---|---|
    | EmbeddingSimilarityEvaluator | sts | spearman, pearson |
    | TripletEvaluator | triplet | accuracy |
    | BinaryClassificationEvaluator | clauses | ap = average_precision |
    | InformationRetrievalEvaluator | retrieval | recall@k, ndcg@10, mrr@10, map@100 |

    Accuracy and F1 of the BinaryClassificationEvaluator have no equal: their thresholds are tuned on the very
    examples that they score. Similarity functions and dimensions are settings of a model here.
    Raises HarnessError for another evaluator, and for one with a margin or prompts of its own.
    """
    from harness.api.rows import make_task

    for kind in type(evaluator).__mro__:
        if kind.__name__ in _MAKERS and kind.__module__.startswith(_MODULE):
            evaluated, rows, options = _MAKERS[kind.__name__](evaluator)
            own = str(getattr(evaluator, "name", "") or kind.__name__)
            return make_task(name or own.replace(",", " ").strip(), evaluated, rows, **options)
    raise HarnessError(
        f"{type(evaluator).__name__} cannot be a task",
        exists=f"evaluators that can: {', '.join(_KNOWN)}",
        hint="harness.make_task makes one of rows, a class of harness.Task any other",
    )


def _similarity(evaluator: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - see above
    columns = {"text1": evaluator.sentences1, "text2": evaluator.sentences2, "score": evaluator.scores}
    return "sts", columns, {}


def _triplet(evaluator: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - see above
    if any(evaluator.margin.values()):
        raise HarnessError(
            f"the TripletEvaluator has a margin ({evaluator.margin}): here a triplet is right where its"
            " positive is closer at all",
            hint="leave the margin out; the metric mean_margin shows by how much",
        )
    columns = {
        "anchor": evaluator.anchors,
        "positive": evaluator.positives,
        "negative": evaluator.negatives,
    }
    return "triplet", columns, {"roles": "retrieval"}


def _classification(evaluator: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - see above
    columns = {
        "clause": evaluator.sentences1,
        "hypothesis": evaluator.sentences2,
        "label": ["entailment" if label else "contradiction" for label in evaluator.labels],
    }
    return "clauses", columns, {}


def _retrieval(evaluator: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:  # noqa: ANN401 - see above
    prompts = ("query_prompt", "query_prompt_name", "corpus_prompt", "corpus_prompt_name")
    if own := [name for name in prompts if getattr(evaluator, name, None)]:
        raise HarnessError(
            f"the InformationRetrievalEvaluator has prompts of its own: {', '.join(own)}",
            hint='prompts are settings of a model: prompts={"query": "…"}',
        )
    judged = [
        (query, document)
        for query in evaluator.queries_ids
        for document in sorted(evaluator.relevant_docs[query], key=str)
    ]
    tables = {
        "corpus": {"_id": list(map(str, evaluator.corpus_ids)), "text": evaluator.corpus},
        "queries": {"_id": list(map(str, evaluator.queries_ids)), "text": evaluator.queries},
        "qrels": {
            "query-id": [str(query) for query, _ in judged],
            "corpus-id": [str(document) for _, document in judged],
            "score": [1] * len(judged),
        },
    }
    return "retrieval", tables, {"identical": "keep", "missing_documents": "unreachable"}


_MAKERS: dict[str, Callable[[Any], tuple[str, dict[str, Any], dict[str, Any]]]] = dict(
    zip(_KNOWN, (_similarity, _triplet, _classification, _retrieval), strict=True)
)
"""Class → its kind of task, rows and options."""
