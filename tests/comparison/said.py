"""Comparisons made by hand, without models: every verdict, every outcome, hostile names."""

from __future__ import annotations

from dataclasses import replace

from harness.comparison.result import (
    Comparison,
    Difference,
    GateLine,
    MetricComparison,
    ModelRef,
    Refusal,
    Shortage,
    Speed,
)
from harness.comparison.result_changes import Change, Changes, Slice
from harness.comparison.result_overall import Forgetting, Mean, Overall

HOSTILE = [
    "</td><script>alert(1)</script>",
    "a|b",
    "=cmd()",
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\n::error::three",
    "::error title=x::y",
    "]]>",
    "100%,a:b",
    "**bold** _it_ `code` [x](http://example.com)",
    "@everyone #1 www.example.com http://example.com",
    "\x00\x08\ufffe\U0001f600",
    "",
]
"""Names that a third-party model or task could have."""

BASELINE = ModelRef(name="minilm", fingerprint="b" * 64, source="results/base")
CANDIDATE = ModelRef(name="nda", fingerprint="c" * 64, source="results/candidate")


def line(task="stsb", verdict="better", gain=0.0123, **changes) -> MetricComparison:
    made = MetricComparison(
        task=task, metric="spearman", headline=True, data="files", tags=("sts",), baseline=0.8203,
        candidate=0.8203 + gain, gain=gain, low=gain - 0.0078, high=gain + 0.0078, p=0.002, p_adjusted=0.008,
        verdict=verdict, margin=None, within_margin=None, detectable=0.0111, needed=None, examples=1379,
        clusters=1379, test="Student's t",
    )  # fmt: skip
    return replace(made, **changes)


NOTHING = {
    "baseline": None, "candidate": None, "gain": None, "low": None, "high": None, "p": None,
    "p_adjusted": None, "detectable": None, "test": "not tested",
}  # fmt: skip
"""Fields of a line about which nothing is known."""


def gate_line(outcome="passes", *, holds=None, rule="margin", task="stsb", metric="spearman", **changes):
    made = GateLine(
        rule=rule, task=task, metric=metric, threshold=0.01, outcome=outcome,
        holds=outcome == "passes" if holds is None else holds,
        sentence="gain +0.0123 [+0.0045, +0.0201] lies above -0.01",
    )  # fmt: skip
    return replace(made, **changes)


def comparison(*lines, sentence="nda against minilm: it depends.", exit_code=0, **changes) -> Comparison:
    gated = changes.pop("gated", bool(changes.get("gate")))
    return Comparison(
        **{"baseline": BASELINE, "candidate": CANDIDATE} | changes,
        lines=lines,
        gated=gated,
        sentence=sentence,
        exit_code=exit_code,
    )


def every_verdict() -> tuple[MetricComparison, ...]:
    return (
        line("stsb"),
        line("stsb", "better", 0.0101, metric="pearson", headline=False),
        line(
            "penal-triplets", "worse", -0.0071, metric="accuracy", low=-0.0099, high=-0.0043, margin=0.01,
            within_margin=True, clusters=1179, test="sign flip", p_adjusted=0.00001,
        ),
        line("contract-nli", "worse", -0.0310, metric="accuracy", margin=0.01, within_margin=False),
        line(
            "legal-retrieval", "equivalent", 0.0004, metric="ndcg@10", low=-0.0012, high=0.0020, margin=0.01,
            within_margin=True, p_adjusted=0.9, unseen=0.0712,
        ),
        line(
            "case-law", "inconclusive", 0.0021, metric="accuracy", p_adjusted=0.61, data="sample",
            margin=0.01, within_margin=True, needed=5_210, from_seeds=0.34, clusters=40,
            effective_clusters=9.2,
            shortage=Shortage(what="clusters", have=40, needed=372), heaviest="nda-17", heaviest_share=0.62,
        ),
        replace(line("mteb-sts12", "not tested", data="own"), **NOTHING, reason="no predictions at hand"),
    )  # fmt: skip


def every_outcome() -> tuple[GateLine, ...]:
    return (
        gate_line(),
        gate_line(task="penal-triplets", metric="accuracy"),
        gate_line("fails", task="contract-nli", metric="accuracy",
                  sentence="gain -0.0310 [-0.0388, -0.0232] lies below -0.01"),
        gate_line("undecided", task="case-law", metric="accuracy", rule="gain"),
        gate_line("undecided", holds=True, task="stsb", metric="pearson", rule="gain"),
        gate_line("broken", task="gone", metric=None, sentence="gone: there is no such line"),
        gate_line("passes", rule="gain", over="mean", tag="legal", task=None, metric=None),
        gate_line("passes", rule="min", threshold=0.8, sentence="score 0.8326 is at least 0.8"),
        gate_line("passes", rule="throughput", task=None, metric=None, threshold=0.9,
                  sentence="throughput ratio 1.50 [1.42, 1.58] lies above 0.9"),
    )  # fmt: skip


def changes() -> Changes:
    moved = Change(
        id="e17", baseline=0.431, candidate=0.8214, gold="4.2",
        texts={
            "text1": "The tenant shall give notice in writing to the landlord at least three months ahead.",
            "text2": "Notice has to be given in writing, and three months ahead, by the tenant.",
        },
    )  # fmt: skip
    part = Slice(
        by="length", value="20 – 40 words", examples=312, clusters=280, gain=-0.041, low=-0.066, high=-0.016,
        p_adjusted=0.003, flagged=True,
    )  # fmt: skip
    return Changes(
        task="stsb", metric="spearman", what="pairs", gained=702, lost=655, most_gained=(moved,),
        most_lost=(replace(moved, id="e204", baseline=0.91, candidate=0.2),),
        slices=(part, replace(part, value="1 – 19 words", flagged=False, gain=0.02)),
    )  # fmt: skip


def everything() -> Comparison:
    """A comparison in which every field is set."""
    return comparison(
        *every_verdict(),
        sentence="nda against minilm: better on 2 lines, worse on 2. The gate fails: contract-nli.",
        exit_code=1,
        gate=every_outcome(),
        candidate=replace(CANDIDATE, name="nda-seed1 and 2 more seeds", members=("nda-1", "nda-2", "nda-3")),
        refused=(Refusal(task="clauses", differences=(
            Difference("digest", "aaaaaaaa", "bbbbbbbb"), Difference("split", "test", "dev"),
        )),),
        broken=("quora is missing from the results of nda",),
        settings=(Difference("dtype", "float32", "bfloat16"), Difference("max_tokens", "256", "512")),
        notes=("libraries differ: torch 2.13.0 / 2.13.1",),
        allowed=("machine", "task_source"),
        speed=Speed(
            baseline=120.4, candidate=1180.6, ratio=1.5, low=1.42, high=1.58, source="rounds of two runs"
        ),
        tests=6,
        overall=(
            Overall(
                tag=None, which="2 tasks", samples=False, verdict="inconclusive", margin=None,
                worst="contract-nli", worst_gain=-0.031, worst_low=-0.0388,
                mean=Mean(tasks=("stsb", "contract-nli"), gain=-0.0093, low=-0.02, high=0.001),
                better=1, worse=1, equivalent=0, inconclusive=0, not_tested=0,
                sentence="over 2 tasks: mean gain -0.0093 [-0.0200, +0.0010]: inconclusive",
            ),
        ),
        forgetting=Forgetting(
            domain=("legal",),
            inside=Mean(tasks=("penal-triplets",), gain=0.01, low=0.004, high=0.016),
            outside=None,
            sentence="legal: mean gain +0.0100 [+0.0040, +0.0160] over 1 task; it learned",
        ),
        changes=(changes(),),
    )  # fmt: skip


def hostile(name: str) -> Comparison:
    """A comparison in which this is every text that a third party chooses."""
    whole = everything()
    return replace(
        whole,
        baseline=replace(BASELINE, name=name), candidate=replace(CANDIDATE, name=f"x{name}", members=(name,)),
        lines=(line(name, metric=name, reason=name, test=name), line(name, "worse", -0.1), line(name)),
        gate=(gate_line(task=name, metric=name, sentence=name), gate_line("fails", task=name, sentence=name)),
        refused=(Refusal(task=name, differences=(Difference("digest", name, name),)),),
        broken=(name,), settings=(Difference("prompts", name, name),), notes=(name,), sentence=name,
        changes=(replace(changes(), task=name, metric=name, most_gained=(
            Change(id=name, baseline=0.0, candidate=1.0, gold=name, texts={name: name}),
        )),),
    )  # fmt: skip
