"""Contents of reports, made by hand: three models on four tasks, with anything a page can show."""

from __future__ import annotations

from dataclasses import replace

from harness.comparison.result import (
    Comparison,
    Difference,
    GateLine,
    MetricComparison,
    ModelRef,
    Ranked,
    Refusal,
    Selection,
)
from harness.comparison.result_overall import Forgetting, Mean, Overall
from harness.report.content import (
    Answer,
    ComparedWith,
    Doubt,
    ReportBoard,
    ReportContent,
    ReportFinding,
    ReportMean,
    ReportModel,
    ReportRanked,
    ReportRanking,
    ReportRow,
    ReportRun,
    ReportScore,
    SetApart,
    TradeOff,
)
from harness.report.distributions import Distribution
from harness.report.examples import ModelAnswers, RankedDocuments, TaskExamples
from harness.report.training import CurvePoint, TrainingReport

BASE, MINE, LEXICAL = "minilm", "legal-minilm-mnrl", "lexical"

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)"> \'"&amp; javascript:alert(3) שלום \x07\u202e\u2028'
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


def _board(names: dict[str, str], number: int) -> ReportBoard:
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
        apart=(SetApart(model=names[LEXICAL], differences=("limit: 100, not all",)),)
        if task == "stsb"
        else (),
        remarks=(
            "Models that share a letter do not differ significantly (95 %, corrected over the pairs of the task).",
        ),
    )


def _line(task: str, candidate: str) -> MetricComparison:
    board = next(board for board in BOARDS if board[0] == task)
    baseline, mine = SCORES[task][BASE], SCORES[task][candidate]
    gain = mine - baseline
    half = 0.35 / board[6] ** 0.5
    verdict = (
        "better"
        if gain > half
        else "worse"
        if gain < -half
        else "equivalent"
        if half < 0.012
        else "inconclusive"
    )
    return MetricComparison(
        task=task,
        metric=board[3],
        headline=True,
        data="files",
        tags=board[2],
        baseline=baseline,
        candidate=mine,
        gain=gain,
        low=gain - half,
        high=gain + half,
        p=0.0004 if verdict in ("better", "worse") else 0.31,
        p_adjusted=0.0016 if verdict in ("better", "worse") else 0.62,
        verdict=verdict,
        margin=0.02,
        within_margin=gain - half > -0.02,
        detectable=0.031,
        needed=None,
        examples=board[5],
        clusters=board[6],
        test="paired jackknife",
    )


def _comparison(names: dict[str, str], candidate: str) -> Comparison:
    lines = tuple(_line(task, candidate) for task in SCORES)
    gains = [line.gain for line in lines]
    inside = Mean(
        tasks=("contract-nli", "penal-triplets", "aila-statutes"),
        gain=sum(gains[1:]) / 3,
        low=sum(gains[1:]) / 3 - 0.03,
        high=sum(gains[1:]) / 3 + 0.03,
    )
    outside = Mean(tasks=("stsb",), gain=gains[0], low=gains[0] - 0.011, high=gains[0] + 0.011)
    return Comparison(
        baseline=ModelRef(name=names[BASE], fingerprint="263c6eb0", source="results"),
        candidate=ModelRef(name=names[candidate], fingerprint="a89d007f", source="results"),
        lines=lines,
        gated=True,
        refused=(Refusal(task="stsb-dev", differences=(Difference("limit", "100", "all"),)),)
        if candidate == LEXICAL
        else (),
        settings=(Difference("dtype", "float32", "float16"),) if candidate == MINE else (),
        notes=("penal-triplets is a sample: illustrative, not the real dataset.",),
        tests=8,
        overall=(
            Overall(
                tag=None,
                which="4 tasks",
                samples=False,
                mean=Mean(
                    tasks=tuple(SCORES),
                    gain=sum(gains) / 4,
                    low=sum(gains) / 4 - 0.02,
                    high=sum(gains) / 4 + 0.02,
                ),
                verdict="better" if sum(gains) > 0.08 else "worse",
                margin=0.02,
                worst="stsb",
                worst_gain=gains[0],
                worst_low=gains[0] - 0.012,
                better=1,
                worse=0,
                equivalent=1,
                inconclusive=2,
                not_tested=0,
                sentence="The mean gain over 4 tasks is +0.040.",
            ),
        ),
        forgetting=Forgetting(
            domain=("legal",),
            inside=inside,
            outside=outside,
            sentence=f"In the domain (legal) {inside.gain:+.3f}, outside it {outside.gain:+.3f}.",
        ),
        sentence=f"{names[candidate]} is better than {names[BASE]} on 1 of 4 headlines and worse on none."
        if candidate == MINE
        else f"{names[candidate]} is worse than {names[BASE]} on 4 of 4 headlines.",
        exit_code=0 if candidate == MINE else 1,
    )


def _answer(names: dict[str, str], comparisons: tuple[Comparison, ...]) -> Answer:
    mine = names[MINE]
    return Answer(
        compared=f"{mine} and {names[LEXICAL]} were held against {names[BASE]} on 4 tasks, over 1,881 examples.",
        outcome="passes",
        gated=True,
        sentences=tuple(one.sentence for one in comparisons),
        gate=(
            GateLine(
                rule="margin",
                task="stsb",
                metric="spearman",
                threshold=0.02,
                outcome="passes",
                holds=True,
                sentence="stsb spearman: the whole interval of the gain, -0.019 to +0.000, is above -0.02.",
            ),
            GateLine(
                rule="throughput",
                task=None,
                metric=None,
                threshold=0.9,
                outcome="undecided",
                holds=True,
                sentence="Throughput ratio 0.97 [0.89, 1.05] against 0.9.",
            ),
        ),
        selection=Selection(
            by="mean gain over 4 tasks",
            by_gate=False,
            tasks=tuple(SCORES),
            winner=mine,
            fingerprint="a89d007f",
            gain=0.0398,
            estimate=0.0381,
            low=0.012,
            high=0.066,
            tied=(),
            candidates=(
                Ranked(
                    model=mine,
                    fingerprint="a89d007f",
                    gain=0.0398,
                    low=0.018,
                    high=0.061,
                    probability=0.998,
                    among_best=True,
                    gate="passes",
                ),
                Ranked(
                    model=names[LEXICAL],
                    fingerprint="b1",
                    gain=-0.45,
                    low=-0.49,
                    high=-0.41,
                    probability=0.002,
                    among_best=False,
                    gate="fails",
                ),
            ),
            left_out=(),
            level=0.975,
            confirmed_on=(),
            sentence=f"{mine} is the best of 2 candidates; after having looked at 2, its gain is +0.038 [+0.012, +0.066], where +0.040 was observed.",
        ),
        warnings=("Settings differ: dtype float32, float16.",),
        doubts=(
            Doubt(
                kind="truncated",
                severity="warning",
                sentence="13.7 % of the texts of contract-nli are longer than the models read.",
                remedy="Raise max_tokens, or cut clauses.",
                models=(names[BASE], mine),
                tasks=("contract-nli",),
            ),
            Doubt(
                kind="sample",
                severity="note",
                sentence="penal-triplets is an illustrative sample, not the real dataset.",
                tasks=("penal-triplets",),
            ),
        ),
    )


def _examples(names: dict[str, str], text: str, *, texts: bool) -> tuple[TaskExamples, ...]:
    """Examples of each kind of task, the retrieval ones with documents."""
    rows = 6
    ids = tuple(f"row-{number}" for number in range(rows))
    sts = TaskExamples(
        board="stsb",
        ids=ids,
        left_out=1373,
        metric="spearman",
        quality="minus the distance of rank from gold",
        flips=False,
        lengths=(84,) * rows,
        gold=(0.0, 1.2, 2.4, 3.1, 4.0, 5.0),
        texts={
            "text1": tuple(f"A man is playing guitar {n}. {text}" for n in range(rows)),
            "text2": tuple(f"A person plays an instrument {n}." for n in range(rows)),
        }
        if texts
        else {},
        models=tuple(
            ModelAnswers(
                model=names[model],
                answers=tuple(0.1 + 0.15 * n + shift for n in range(rows)),
                quality=tuple(-abs(shift) * n for n in range(rows)),
            )
            for model, shift in ((BASE, 0.05), (MINE, 0.01), (LEXICAL, 0.3))
        ),
    )
    triplet = TaskExamples(
        board="penal-triplets",
        ids=ids,
        left_out=165,
        metric="accuracy",
        quality="1 where the positive is more similar",
        flips=True,
        lengths=(120,) * rows,
        texts={
            "anchor": (f"Whoever takes a thing {text}",) * rows,
            "positive": ("Theft is punished.",) * rows,
            "negative": ("Fraud is punished.",) * rows,
        }
        if texts
        else {},
        models=tuple(
            ModelAnswers(
                model=names[model],
                answers=tuple(0.1 * (n - at) for n in range(rows)),
                quality=tuple(float(n > at) for n in range(rows)),
            )
            for at, model in enumerate((MINE, BASE, LEXICAL))
        ),
    )
    retrieval = TaskExamples(
        board="aila-statutes",
        ids=ids[:2],
        left_out=108,
        metric="recall@10",
        quality="recall@10 of the query",
        flips=False,
        lengths=(900, 700),
        relevant=(("S1", "S9"), ("S3",)),
        texts={"query": (f"The appellant was convicted {text}", "A lease of land")} if texts else {},
        documents={"S1": f"Murder. {text}", "S2": "Theft.", "S3": "Lease."} if texts else {},
        models=tuple(
            ModelAnswers(
                model=names[model],
                quality=(good, 1.0),
                documents=RankedDocuments(ids=(found, ("S3", "S2")), scores=((0.8, 0.7), (0.6, 0.5))),
            )
            for model, good, found in (
                (BASE, 0.0, ("S2", "S3")),
                (MINE, 0.5, ("S1", "S2")),
                (LEXICAL, 0.0, ("S3", "S2")),
            )
        ),
    )
    return sts, triplet, retrieval


def _distributions(names: dict[str, str]) -> tuple[Distribution, ...]:
    edges = tuple(round(0.1 * n, 1) for n in range(11))
    made = []
    for at, model in enumerate((BASE, MINE, LEXICAL)):
        name = names[model]
        made += [
            Distribution(
                board="contract-nli",
                model=name,
                kind="similarity",
                label="cosine similarity",
                edges=edges,
                threshold=0.437,
                counts={
                    "entailment": (0, 0, 1, 3, 9, 20 + at, 34, 40, 30, 8),
                    "contradiction": (2, 5, 9, 16, 20, 11, 6, 3, 1, 0),
                },
            ),
            Distribution(
                board="penal-triplets",
                model=name,
                kind="margin",
                label="similarity to the positive − to the negative",
                edges=tuple(round(-0.3 + 0.1 * n, 1) for n in range(9)),
                counts={"": (2, 6, 22 - at, 50, 51 + at, 30, 8, 2)},
            ),
            Distribution(
                board="aila-statutes",
                model=name,
                kind="rank",
                label="rank of the first relevant document",
                bins=("1", "2–5", "6–10", "11–100", "not in the first 100"),
                counts={"": (48, 31, 12, 19, 0)},
            ),
            Distribution(
                board="stsb",
                model=name,
                kind="length",
                label="characters of both texts",
                edges=(0, 50, 100, 150, 200, 300),
                counts={"": (200, 500, 400, 200, 79)},
                quality=(-0.12, -0.1, -0.11, -0.14, -0.19),
            ),
        ]
    return tuple(made)


def content(*, hostile: str = "", texts: bool = True) -> ReportContent:
    """Return a content with all parts; hostile: put into each name and text."""
    names = {model: f"{model}{hostile}" for model in (BASE, MINE, LEXICAL)}
    comparisons = tuple(_comparison(names, candidate) for candidate in (MINE, LEXICAL))
    mean = {model: sum(scores[model] for scores in SCORES.values()) / 4 for model in names}
    return ReportContent(
        title=f"legal-minilm against minilm{hostile}",
        folders=("results/example",),
        command="harness report results/example -o report.html",
        harness="0.1.0",
        answer=_answer(names, comparisons),
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
        boards=tuple(_board(names, number) for number in range(len(BOARDS))),
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
        distributions=_distributions(names),
        examples=_examples(names, hostile, texts=texts),
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
