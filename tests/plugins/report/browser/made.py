"""A content of a report made by hand: three models, tasks of four kinds, one of them not comparable."""

from __future__ import annotations

import random
from dataclasses import replace

from harness.comparison.result import (
    Comparison,
    GateLine,
    MetricComparison,
    ModelRef,
)
from harness.comparison.result_overall import Forgetting, Mean
from harness.finding import Severity
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
from harness.report.training import CurvePoint, TrainingReport
from plugins.report.browser.made_examples import distributions, made_examples

MODELS = ("minilm", "lexical", "tuned")
QUALITY = {"minilm": 0.7, "lexical": 0.45, "tuned": 0.78}
SPEED = {"minilm": 900.0, "lexical": 5000.0, "tuned": 870.0}
TASKS = {
    "stsb": ("sts", "spearman", ("sts",)),
    "contract-nli": ("clauses", "macro_f1", ("legal",)),
    "aila": ("retrieval", "ndcg@10", ("legal", "retrieval")),
    "penal": ("triplet", "accuracy", ("legal",)),
}
EXAMPLES = 60


def made_content(*, models=MODELS, examples=EXAMPLES, texts=True, tasks=None) -> ReportContent:
    """Return a content in which the third model gains on every task.

    models: display names, the baseline first.
    """
    names = dict(zip(MODELS, models, strict=True))
    tasks = tasks or TASKS
    boards = tuple(_board(task, names, tasks) for task in tasks)
    comparisons = [
        ComparedWith(
            baseline=names[base],
            command=f"harness compare results --baseline {base}",
            outcome="passes",
            comparisons=tuple(_comparison(names, base, other, tasks) for other in MODELS if other != base),
        )
        for base in MODELS
    ]
    return ReportContent(
        title=" against ".join(models),
        folders=("results",),
        command="harness report results -o report.html",
        harness="1.0",
        answer=_answer(names),
        models=tuple(_model(name, names) for name in MODELS),
        boards=boards,
        rankings=(_ranking(names, tasks),),
        compared=tuple(comparisons),
        trade_off=tuple(_trade_off(name, names) for name in MODELS),
        trade_off_tasks=tuple(tasks),
        distributions=tuple(each for board in boards for each in distributions(board)),
        examples=tuple(made_examples(board, examples, texts) for board in boards),
        texts=texts,
        trainings=(_training(names),),
        runs=(_run(),),
    )


def renamed(content: ReportContent, old: str, new: str) -> ReportContent:
    """Return the content with a text replaced wherever it stands."""
    import msgspec

    def walk(value):
        if isinstance(value, dict):
            return {walk(key): walk(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [walk(each) for each in value]
        return value.replace(old, new) if isinstance(value, str) else value

    return msgspec.convert(walk(msgspec.to_builtins(content)), ReportContent)


def _answer(names) -> Answer:
    return Answer(
        compared=f"{names['lexical']} and {names['tuned']} against {names['minilm']} on {len(TASKS)} tasks",
        outcome="passes",
        standing="passes",
        judged=(names["tuned"],),
        gated=True,
        sentences=(f"{names['tuned']} is better on 3 of 4 tasks.", f"{names['lexical']} is worse."),
        gate=(_gate_line("stsb"),),
        doubts=(
            Doubt(kind="sample", severity=Severity.WARNING, sentence="The data of penal are a sample."),
            Doubt(
                kind="truncated",
                severity=Severity.NOTE,
                sentence="3.0 % of the texts of aila are truncated.",
                remedy="Raise max_tokens.",
                tasks=("aila",),
            ),
        ),
    )


def _gate_line(task) -> GateLine:
    return GateLine(
        rule="margin",
        task=task,
        metric="spearman",
        threshold=0.01,
        outcome="passes",
        holds=True,
        sentence=f"{task} spearman: the loss is at most 0.01",
    )


def _model(name, names) -> ReportModel:
    speed = SPEED[name]
    return ReportModel(
        name=names[name],
        fingerprint=(name.encode().hex() * 8)[:64],
        parameters=None if name == "lexical" else 22_713_216,
        dimensions=4096 if name == "lexical" else 384,
        max_tokens=256,
        texts_per_second=(0.95 * speed, speed, 1.04 * speed),
        dtype="float32",
        backend="packed",
        device="cpu",
        similarity="cosine",
        settings={"truncate_dim": "128"} if name == "tuned" else {},
        findings=(
            ReportFinding(
                code="no-pooling", severity=Severity.WARNING, message="It has no pooling.", remedy="Add one."
            ),
        )
        if name == "lexical"
        else (),
    )


def _score(name, task, metric, shift=0.0) -> ReportScore:
    random.seed(f"{name} {task} {metric}")
    score = QUALITY[name] + random.uniform(-0.05, 0.05) + shift
    return ReportScore(
        metric=metric, score=score, low=score - 0.03, high=score + 0.035, examples=EXAMPLES, clusters=EXAMPLES
    )


def _board(task, names, tasks) -> ReportBoard:
    kind, metric, tags = tasks[task]
    order = sorted(MODELS, key=lambda name: -(_score(name, task, metric).score or 0))
    rows = tuple(
        ReportRow(
            model=names[name],
            status="ok",
            scores=(_score(name, task, metric), _score(name, task, "second", -0.1)),
            letters="ab"[min(at, 1)],
            rank=(1, 2) if at < 2 else (3, 3),
            best=(0.9, 0.1, 0.0)[at],
            key=(task + name).encode().hex()[:16],
            libraries={"torch": "2.11"},
        )
        for at, name in enumerate(order)
        if not (task == "penal" and name == "lexical")
    )
    apart = (
        (SetApart(model=names["lexical"], differences=("limit is 9 and 100",)),) if task == "penal" else ()
    )
    return ReportBoard(
        id=task,
        task=task,
        kind=kind,
        tags=tags,
        data="files",
        origin="files",
        split="test",
        limit=None,
        version=1,
        digest="d" * 64,
        metrics=(metric, "second"),
        rows=rows,
        apart=apart,
        remarks=("Letters hold within the task.",),
    )


def _ranking(names, tasks) -> ReportRanking:
    models = tuple(
        ReportRanked(
            model=names[name],
            average_rank=float(at + 1),
            borda=2.0 - at,
            mean=ReportMean(score=QUALITY[name], low=QUALITY[name] - 0.02, high=QUALITY[name] + 0.02),
            rank=(at + 1, at + 1),
            best=(0.97, 0.03, 0.0)[at],
            tags={
                "legal": ReportMean(
                    score=QUALITY[name] - 0.01, low=QUALITY[name] - 0.04, high=QUALITY[name] + 0.02
                )
            },
            missing={"penal": "limit is 9 and 100"} if name == "lexical" else {},
        )
        for at, name in enumerate(("tuned", "minilm", "lexical"))
    )
    return ReportRanking(
        sample=False, limit=None, tasks=tuple(tasks), not_counted=(), tags=("legal",), models=models
    )


def _comparison(names, base, other, tasks) -> Comparison:
    lines = tuple(
        _line(task, base, other, tasks)
        for task in tasks
        if not (task == "penal" and "lexical" in (base, other))
    )
    gain = QUALITY[other] - QUALITY[base]
    mean = Mean(tasks=tuple(tasks), gain=gain, low=gain - 0.02, high=gain + 0.02)
    return Comparison(
        baseline=ModelRef(name=names[base], fingerprint="a" * 64, source="results"),
        candidate=ModelRef(name=names[other], fingerprint="b" * 64, source="results"),
        lines=lines,
        gated=True,
        gate=(_gate_line("stsb"),),
        tests=len(lines),
        forgetting=Forgetting(
            domain=("legal",),
            inside=mean,
            outside=replace(mean, gain=-0.004, low=-0.03, high=0.02, tasks=("stsb",)),
            sentence="In domain it gains, outside it keeps what it had.",
        ),
        notes=("The interval of penal is wide.",),
        sentence=f"{names[other]} against {names[base]}: {'better' if gain > 0 else 'worse'}.",
        exit_code=0 if gain > 0 else 1,
    )


def _line(task, base, other, tasks) -> MetricComparison:
    _, metric, tags = tasks[task]
    left, right = _score(base, task, metric).score, _score(other, task, metric).score
    gain = right - left
    verdict = "inconclusive" if abs(gain) < 0.05 else "better" if gain > 0 else "worse"
    return MetricComparison(
        task=task,
        metric=metric,
        headline=True,
        data="files",
        tags=tags,
        baseline=left,
        candidate=right,
        gain=gain,
        low=gain - 0.05,
        high=gain + 0.05,
        p=0.2 if verdict == "inconclusive" else 0.0004,
        p_adjusted=0.4 if verdict == "inconclusive" else 0.0012,
        verdict=verdict,
        margin=0.01,
        within_margin=gain - 0.05 > -0.01,
        detectable=0.04,
        needed=None,
        examples=EXAMPLES,
        clusters=EXAMPLES,
        test="paired permutation",
        digest="d" * 64,
    )


def _trade_off(name, names) -> TradeOff:
    speed, quality = SPEED[name], QUALITY[name]
    return TradeOff(
        model=names[name],
        quality=ReportMean(score=quality, low=quality - 0.02, high=quality + 0.02),
        texts_per_second=(0.95 * speed, speed, 1.04 * speed),
        on_front=name != "minilm",
        parameters=None if name == "lexical" else 22_713_216,
        dimensions=4096 if name == "lexical" else 384,
    )


def _training(names) -> TrainingReport:
    curve = tuple(
        CurvePoint(step=10 * at, epoch=at / 10, loss=1 / (at + 1), metrics={"stsb": 0.7 + at / 100})
        for at in range(8)
    )
    return TrainingReport(
        model=names["tuned"],
        base=names["minilm"],
        loss="MultipleNegativesRankingLoss",
        data="pairs.csv",
        rows=640,
        steps=80,
        best_step=60,
        seed=1,
        seconds=12.0,
        lineage=(names["minilm"], names["tuned"]),
        curve=curve,
    )


def _run() -> ReportRun:
    return ReportRun(
        folder="results",
        command="harness run --model minilm --tasks sts",
        started="2026-11-30T21:00:00Z",
        state="done",
        harness="1.0",
        python="3.11",
        platform="Linux",
        processor="some",
        cores=2,
        git_commit=None,
        libraries={"torch": "2.11"},
    )
