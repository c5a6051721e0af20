"""What a plan of costs rests on, in sentences: assumptions, extrapolations, what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bench.cost.constants import (
    ENCODE_ERROR,
    MEASURED_DOCUMENTS,
    MEASURED_WORKERS,
    NEXT_WORKER,
    SEARCH_SHARE,
)
from harness.render import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.bench.cost.basis import PlanBasis
    from harness.bench.cost.records import CostQuestion
    from harness.bench.cost.speed import TimedLength

_DISTURBED = 0.05
"""Share of all cores that other processes used during the bench, from which on it is mentioned."""
_ALIKE = 1.05
"""Maximum ratio of two amounts of which neither is said to be beyond the other."""


def two_digits(value: float) -> str:
    """Return a number rounded to two significant digits, without an exponent: `1,200`, `0.035`."""
    if not value:
        return "0"
    rounded = float(f"{value:.1e}")
    if rounded >= 10:
        return f"{rounded:,.0f}"
    digits = 1
    while rounded * 10**digits < 10 and digits < 12:
        digits += 1
    return f"{rounded:.{digits}f}"


def assumptions(basis: PlanBasis, question: CostQuestion, dimensions: int) -> Iterator[str]:
    """Yield what a plan takes for granted."""
    yield _worker(basis)
    if question.workers > 1:
        yield (
            f"each worker after the first adds {NEXT_WORKER.value:g} ({NEXT_WORKER.low:g} to"
            f" {NEXT_WORKER.high:g}) of the first's speed"
        )
    yield f"a document has {_tokens(basis.tokens, question.tokens, basis.documents)}"
    yield f"a query has {_tokens(basis.query_tokens, question.query_tokens, basis.queries)}"
    yield (
        f"each text is encoded once, in full ({basis.facts.dimensions} dimensions); seconds grow with texts:"
        f" the range allows {ENCODE_ERROR:.0%} for that"
    )
    yield (
        f"search compares {plural(question.queries, 'query', 'queries')} with every document, on the"
        f" processor, in float32 at {dimensions} dimensions, best {question.depth}; its product reaches"
        f" {SEARCH_SHARE.low:.0%} to {SEARCH_SHARE.high:.0%} of the fastest one"
    )
    if question.models > 1:
        yield f"all {question.models} candidates are as fast, and as wide, as {basis.variant.label}"
    yield (
        "the corpus stays on disk and each worker searches a part of it; the driver holds units in flight,"
        " queries and best lists"
    )


def _worker(basis: PlanBasis) -> str:
    threads, device = basis.variant.threads, basis.facts.device
    if device != "cpu":
        return f"a worker is the bench's {device} device, with {plural(basis.cores, 'processor core')}"
    how = f" ({threads.workers}×{threads.per_worker} threads)" if threads else ""
    return f"a worker has {plural(basis.cores, 'core')} of the bench's processor{how} to itself"


def _tokens(tokens: float | None, asked: float | None, like: TimedLength) -> str:
    if tokens is None:
        return f"the length of the bench's {like.workload}, whose tokens were not counted"
    if asked is None:
        return f"{two_digits(tokens)} tokens, the mean of the bench's {like.workload}"
    cut = f": the model cuts {asked:g} there" if asked > tokens else ""
    return f"{tokens:g} tokens, as asked{cut}"


def extrapolations(basis: PlanBasis, question: CostQuestion) -> Iterator[str]:
    """Yield what lies beyond what was measured, and by how much."""
    documents, workers = question.documents, question.workers
    timed = max(each.texts for each in basis.timed)
    yield (
        f"the bench encodes at most {plural(timed, 'text')} a round: {documents:,} documents are"
        f" {two_digits(documents / timed)} times as many"
    )
    if documents > MEASURED_DOCUMENTS:
        yield (
            f"encoding and search were measured up to {MEASURED_DOCUMENTS:,} documents: {documents:,} are"
            f" {two_digits(documents / MEASURED_DOCUMENTS)} times as many"
        )
    for what, tokens in (("documents", basis.tokens), ("queries", basis.query_tokens)):
        yield from _beyond_tokens(basis, what, tokens)
    if workers > MEASURED_WORKERS:
        yield f"the spread was measured with {MEASURED_WORKERS} workers: {workers} were not tried"
    if not basis.gflops_measured:
        yield (
            "search: the bench has no float32 product of this processor (bench a model with --device cpu,"
            " too); any core between one with matrix units and a tenth of it is in the range"
        )
    else:
        yield "search: its share of the fastest product was measured on one kind of processor alone"
    others = max((each.surroundings.others or 0.0 for each in basis.variant.workloads), default=0.0)
    if others >= _DISTURBED:
        yield (
            f"other processes used up to {others:.0%} of all cores during the bench"
            f"{_processor_share(basis)}: a worker that has its own is faster than planned"
        )
    noisy = [each.workload for each in basis.variant.workloads if each.verdict != "measured"]
    if noisy:
        yield f"the bench was too noisy to say for {', '.join(noisy)}: its intervals are wide"


def _processor_share(basis: PlanBasis) -> str:
    """Return how much of its cores' time the bench of the documents had; nothing for another device."""
    if basis.facts.device != "cpu":
        return ""
    rounds = [
        each
        for work in basis.variant.workloads
        if work.workload == basis.documents.workload
        for each in work.rounds
    ]
    wall = sum(each.wall for each in rounds) * basis.cores
    if not wall:
        return ""
    share = sum(each.cpu for each in rounds) / wall
    return f", and {basis.variant.label} had {two_digits(100 * min(share, 1.0))}% of its own"


def _beyond_tokens(basis: PlanBasis, what: str, tokens: float | None) -> Iterator[str]:
    lengths = [each.tokens for each in basis.timed if each.tokens]
    if not tokens or not lengths:
        return
    least, most = min(lengths), max(lengths)
    if tokens > most * _ALIKE:
        yield (
            f"{what} of {two_digits(tokens)} tokens are {two_digits(tokens / most)} times the longest texts"
            f" of the bench ({two_digits(most)}): in proportion, which is too little where attention is much"
        )
    elif tokens < least / _ALIKE:
        yield (
            f"{what} of {two_digits(tokens)} tokens are {two_digits(tokens / least)} times the shortest texts"
            f" of the bench ({two_digits(least)}): in proportion, which is too little"
        )


def left_out(basis: PlanBasis, question: CostQuestion) -> Iterator[str]:
    """Yield what takes time and is in none of the figures."""
    start = basis.variant.start
    cold = f" ({two_digits(start.total)} s for each worker and candidate in the bench)" if start else ""
    yield f"starting workers and loading models{cold}"
    yield "reading the corpus, counting tokens, finding equal texts, writing embeddings to disk"
    yield "the network and the object store: sending texts, embeddings and best lists"
    yield (
        "skew: slower machines, longer shards, a last unit on one worker while others idle, units done again"
    )
    yield "metrics and intervals, which are computed once, in the driver"
    if question.models > 1:
        yield "what candidates share: embeddings found in the cache are not encoded again"
