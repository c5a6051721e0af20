"""Made boards of three models on four tasks."""

from __future__ import annotations

from harness.report.content import ReportBoard, ReportFinding, ReportRow, ReportScore, SetApart

BASE, MINE, LEXICAL = "minilm", "legal-minilm-mnrl", "lexical"

HOSTILE = (
    '</script><script>alert(1)</script><img src=x onerror="alert(2)"> \'"&amp;'
    " javascript:alert(3) שלום \x07\u202e\u2028"
)
"""A text that would run, close, quote, turn or ring."""

BOARDS = (
    ("stsb", "sts", ("sts", "general"), "spearman", ("pearson",), 1379, 1379),
    ("contract-nli", "clauses", ("clauses", "legal"), "roc_auc", ("average_precision", "accuracy"), 221, 20),
    ("penal-triplets", "triplet", ("triplet", "legal"), "accuracy", ("mean_margin",), 171, 152),
    ("aila-statutes", "retrieval", ("retrieval", "legal"), "recall@10", ("ndcg@10", "mrr@10"), 110, 110),
)

SCORES = {
    "stsb": {BASE: 0.7797, MINE: 0.7702, LEXICAL: 0.1776},
    "contract-nli": {BASE: 0.7317, MINE: 0.7904, LEXICAL: 0.5096},
    "penal-triplets": {BASE: 0.7661, MINE: 0.8713, LEXICAL: 0.4854},
    "aila-statutes": {BASE: 0.8258, MINE: 0.8303, LEXICAL: 0.1288},
}


def _score(metric: str, value: float, examples: int, clusters: int) -> ReportScore:
    half = 0.9 / clusters**0.5 * (1 - value) + 0.01
    return ReportScore(
        metric=metric,
        score=value,
        low=value - half,
        high=value + half * 0.8,
        examples=examples,
        clusters=clusters,
    )


def make_board(names: dict[str, str], number: int) -> ReportBoard:
    task, kind, tags, headline, others, examples, clusters = BOARDS[number]
    ordered = sorted(SCORES[task].items(), key=lambda item: -item[1])
    rows = tuple(
        ReportRow(
            model=names[model],
            status="ok",
            scores=(
                _score(headline, value, examples, clusters),
                *(
                    _score(metric, value * 0.97 - 0.01 * at, examples, clusters)
                    for at, metric in enumerate(others)
                ),
            ),
            letters="ab"[min(at, 1)] if model != LEXICAL else "c",
            rank=(1, 2) if model != LEXICAL else (3, 3),
            best=(0.81, 0.19, 0.0)[at],
            truncated_texts=0.137 if task == "contract-nli" and model != LEXICAL else 0.0,
            lost_tokens=0.062 if task == "contract-nli" and model != LEXICAL else 0.0,
            key=f"{number}{at}f" * 8,
            predictions=f"{number}{at}e" * 8,
            libraries={"sentence-transformers": "6.2.0", "torch": "2.13.0"} if model != LEXICAL else {},
            fitted={"threshold": "0.437"} if kind == "clauses" else {},
            findings=(
                ReportFinding(
                    code="tied-documents",
                    severity="note",
                    message="1 of 110 queries depend on ties",
                    remedy="none needed",
                ),
            )
            if kind == "retrieval" and model == LEXICAL
            else (),
        )
        for at, (model, value) in enumerate(ordered)
    )
    return ReportBoard(
        id=task,
        task=task,
        kind=kind,
        tags=tags,
        data="sample" if task == "penal-triplets" else "files",
        origin="sample" if task == "penal-triplets" else "files",
        split="test",
        limit=None,
        version=2,
        digest=f"5086563c{number}",
        metrics=(headline, *others),
        rows=rows,
        apart=(SetApart(model="old-minilm", differences=("limit: 100, not all",)),) if task == "stsb" else (),
        remarks=(
            "Models that share a letter do not differ significantly (corrected over the pairs of the task).",
        ),
    )
