"""Made contents of reports: three models on four tasks, with anything that a page can show."""

from __future__ import annotations

from dataclasses import replace

from harness.report.content import (
    ComparedWith,
    ReportContent,
    ReportFinding,
    ReportMean,
    ReportModel,
    ReportRanked,
    ReportRanking,
    ReportRun,
    TradeOff,
)
from harness.report.training import CurvePoint, TrainingReport
from tests.plugins.report.answers import make_distributions, make_examples
from tests.plugins.report.boards import BASE, BOARDS, LEXICAL, MINE, SCORES, make_board
from tests.plugins.report.comparisons import make_answer, make_comparison


def content(*, hostile: str = "", texts: bool = True) -> ReportContent:
    """Return a content with all parts; hostile: put into each name and text."""
    names = {model: f"{model}{hostile}" for model in (BASE, MINE, LEXICAL)}
    comparisons = tuple(make_comparison(names, candidate) for candidate in (MINE, LEXICAL))
    mean = {model: sum(scores[model] for scores in SCORES.values()) / 4 for model in names}
    return ReportContent(
        title=f"legal-minilm against minilm{hostile}",
        folders=("results/example",),
        command="harness report results/example -o report.html",
        harness="0.1.0",
        answer=make_answer(names, comparisons),
        models=tuple(
            ReportModel(
                name=names[model],
                fingerprint=fingerprint,
                parameters=parameters,
                dimensions=384,
                max_tokens=256,
                size_bytes=90_868_376,
                embedding_bytes=1536,
                device="cpu",
                dtype="float32",
                backend="packed",
                similarity="cosine",
                settings={"prompt": hostile or "query: "},
                texts_per_second=speed,
                tokens_per_second=speed[1] * 25,
                findings=(
                    ReportFinding(
                        code="short-window",
                        severity="warning",
                        message=f"reads 256 tokens {hostile}",
                        remedy="raise it",
                    ),
                )
                if model == BASE
                else (),
            )
            for model, fingerprint, parameters, speed in (
                (BASE, "263c6eb0aa", 22_713_216, (201.0, 212.5, 219.0)),
                (MINE, "a89d007fbb", 22_713_216, (196.0, 206.1, 214.0)),
                (LEXICAL, "b1d2e3f4cc", None, (9100.0, 9800.0, 10400.0)),
            )
        ),
        boards=tuple(make_board(names, number) for number in range(len(BOARDS))),
        rankings=(
            ReportRanking(
                sample=False,
                limit=None,
                tasks=("stsb", "contract-nli", "aila-statutes"),
                not_counted=("penal-triplets",),
                tags=("legal",),
                models=tuple(
                    ReportRanked(
                        model=names[model],
                        average_rank=rank,
                        borda=3 - rank,
                        mean=ReportMean(score=mean[model], low=mean[model] - 0.02, high=mean[model] + 0.02),
                        rank=(1, 2) if rank < 3 else (3, 3),
                        best=0.9 - 0.4 * (rank - 1),
                        tags={"legal": ReportMean(score=mean[model], low=None, high=None)},
                    )
                    for model, rank in ((MINE, 1.25), (BASE, 1.75), (LEXICAL, 3.0))
                ),
            ),
        ),
        compared=(
            ComparedWith(
                baseline=names[BASE],
                command=f"harness compare results/example --baseline {BASE}",
                outcome="passes",
                comparisons=comparisons,
                warnings=("The level is 0.975.",),
            ),
        ),
        trade_off=tuple(
            TradeOff(
                model=names[model],
                quality=ReportMean(score=mean[model], low=mean[model] - 0.02, high=mean[model] + 0.02),
                texts_per_second=speed,
                on_front=True,
                parameters=22_713_216,
                dimensions=384,
            )
            for model, speed in (
                (MINE, (196.0, 206.1, 214.0)),
                (BASE, (201.0, 212.5, 219.0)),
                (LEXICAL, (9100.0, 9800.0, 10400.0)),
            )
        ),
        trade_off_tasks=tuple(SCORES),
        distributions=make_distributions(names),
        examples=make_examples(names, hostile, texts=texts),
        texts=texts,
        trainings=(
            TrainingReport(
                model=names[MINE],
                base=names[BASE],
                loss="mnrl",
                data="contract-pairs train",
                rows=4100,
                steps=128,
                best_step=96,
                seed=13,
                seconds=412.0,
                recipe={"learning_rate": "2e-05", "batch_size": "64"},
                lineage=(names[BASE], names[MINE]),
                findings=("repeated-texts",),
                curve=tuple(
                    CurvePoint(
                        step=16 * n,
                        epoch=n / 4,
                        loss=1.6 / (n + 1) + 0.2,
                        metrics={"stsb-dev/spearman": 0.69 + 0.02 * n - 0.002 * n * n},
                    )
                    for n in range(1, 9)
                ),
            ),
        ),
        runs=(
            ReportRun(
                folder="results/example",
                command=f"harness run --model {BASE} --suite default",
                started="2026-11-30T19:59:32+00:00",
                state="finished",
                harness="0.1.0",
                python="3.12.3",
                platform="Linux-6.1",
                processor="Xeon",
                cores=2,
                git_commit="702e590",
                libraries={"torch": "2.13.0", "sentence-transformers": "6.2.0"},
            ),
        ),
        problems=(f"records/x.json cannot be read {hostile}",) if hostile else (),
    )


def many(models: int, tasks: int) -> ReportContent:
    """Return a content with many models and tasks."""
    one = content()
    boards = []
    for number in range(tasks):
        board = one.boards[number % 4]
        rows = tuple(
            replace(
                board.rows[at % 3],
                model=f"candidate-{at:02d}-of-the-learning-rate-sweep",
                letters="abcdefgh"[at % 8],
            )
            for at in range(models)
        )
        boards.append(
            replace(board, id=f"{board.task}-{number}", task=f"{board.task}-{number}", rows=rows, apart=())
        )
    made = tuple(
        replace(one.models[at % 3], name=f"candidate-{at:02d}-of-the-learning-rate-sweep")
        for at in range(models)
    )
    return replace(
        one,
        boards=tuple(boards),
        models=made,
        rankings=(),
        compared=(),
        distributions=(),
        examples=(),
        trainings=(),
        trade_off=(),
    )
