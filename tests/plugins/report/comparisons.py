"""Made comparisons of two candidates with a baseline, and the answer."""

from __future__ import annotations

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
from harness.report.content import Answer, Doubt
from tests.plugins.report.boards import BASE, BOARDS, LEXICAL, MINE, SCORES


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


def make_comparison(names: dict[str, str], candidate: str) -> Comparison:
    lines = tuple(_line(task, candidate) for task in SCORES)
    gains = [line.gain for line in lines]
    verdicts = ", ".join(f"{line.verdict} on {line.task}" for line in lines)
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
        sentence=f"{names[candidate]} against {names[BASE]}: {verdicts}.",
        exit_code=0 if candidate == MINE else 1,
    )


def make_answer(names: dict[str, str], comparisons: tuple[Comparison, ...]) -> Answer:
    mine = names[MINE]
    return Answer(
        compared=f"{mine} and {names[LEXICAL]} against the baseline {names[BASE]}, on 4 tasks.",
        outcome="passes",
        standing="passes, 1 of 2 conditions undecided",
        judged=(mine,),
        others=(f"{names[LEXICAL]} was asked something else on some tasks",),
        gate_level="by intervals of 97.5 % each, since 2 candidates were looked at",
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
                sentence="gain -0.0095 [-0.0189, -0.0001] lies above -0.02",
            ),
            GateLine(
                rule="throughput",
                task=None,
                metric=None,
                threshold=0.9,
                outcome="undecided",
                holds=True,
                sentence="ratio 0.97 [0.89, 1.05] reaches across 0.9",
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
            sentence=f"{mine} is the best of 2: its gain is +0.0381 [+0.0120, +0.0660] after selection,"
            " where +0.0398 was observed.",
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
