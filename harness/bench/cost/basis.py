"""What a plan of costs takes from a bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.bench.cost.speed import TimedLength, processor_gflops, timed_lengths, typical
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.bench.cost.records import CostQuestion, CostRange
    from harness.bench.records import Bench, VariantResult
    from harness.models.interface import ModelFacts


_MOST = 10**15
"""Maximum of a number of cores, dimensions, texts, tokens or bytes in a bench."""


@dataclass(frozen=True, slots=True)
class PlanBasis:
    """What a plan takes from a bench."""

    variant: VariantResult
    facts: ModelFacts
    timed: list[TimedLength]
    """Shortest texts first."""
    documents: TimedLength
    """The workload that is most like documents."""
    queries: TimedLength
    """The workload that is most like queries."""
    gflops: CostRange
    """Fastest float32 product on a worker's cores, in 10⁹ operations per second."""
    gflops_measured: bool
    cores: int
    """Processor cores of a worker."""
    tokens: float | None
    """Mean tokens of a document, at most the model's maximum; None where the bench does not count them."""
    query_tokens: float | None
    """Mean tokens of a query, likewise."""


def choose_variant(bench: Bench, model: str | None) -> VariantResult:
    """Return the variant of a label, or of a model's name; the only one that was measured for None.

    Raises HarnessError for an unknown name, and where several fit.
    """
    labels = [each.label for each in bench.variants]
    if not labels:
        raise HarnessError("the bench has no model", hint="measure one: harness bench --model …")
    if model is None:
        fit = [each for each in bench.variants if each.error is None and each.workloads] or [*bench.variants]
    else:
        fit = [each for each in bench.variants if each.label == model]
        fit = fit or [each for each in bench.variants if each.model == model]
    if not fit:
        raise HarnessError.unknown("model of the bench", str(model), labels, hint="--model NAME")
    if len(fit) > 1:
        raise HarnessError(
            f"the bench has {len(fit)} variants" + (f" of {model}" if model else ""),
            exists=f"known: {', '.join(each.label for each in fit)}",
            hint="choose one: --model NAME",
        )
    return fit[0]


def basis_of(bench: Bench, question: CostQuestion, variant: VariantResult) -> PlanBasis:
    """Return what a plan takes from a variant of a bench.

    Raises HarnessError for one without a speed, and for tokens that were asked where it counts none.
    """
    _check_sizes(bench, variant)
    timed = timed_lengths(variant)
    facts = variant.facts
    if facts is None:
        raise HarnessError(f"the bench does not say how many dimensions {variant.label} has")
    documents, queries = typical(timed, "documents"), typical(timed, "short")
    tokens = question.tokens or documents.tokens
    query_tokens = question.query_tokens or queries.tokens
    if (question.tokens or question.query_tokens) and any(each.tokens is None for each in timed):
        raise HarnessError(
            f"{variant.label} does not count tokens, so the bench cannot tell how long texts were",
            hint="leave --tokens and --query-tokens out, and bench texts like yours: --workload FILE",
        )
    threads = variant.threads
    on_processor = facts.device == "cpu" and threads is not None
    cores = threads.workers * threads.per_worker if on_processor and threads else bench.machine.cores
    if cores < 1:
        raise HarnessError(f"the bench does not say how many cores {variant.label} had")
    others = [each for each in bench.variants if each is not variant]
    gflops, known = processor_gflops([variant, *others], cores)
    most = facts.max_tokens
    return PlanBasis(
        variant=variant,
        facts=facts,
        timed=timed,
        documents=documents,
        queries=queries,
        gflops=gflops,
        gflops_measured=known,
        cores=cores,
        tokens=min(tokens, most) if tokens and most else tokens,
        query_tokens=min(query_tokens, most) if query_tokens and most else query_tokens,
    )


def _check_sizes(bench: Bench, variant: VariantResult) -> None:
    """Raise HarnessError for whole numbers that no bench has: they would not fit a float."""
    facts, threads, memory = variant.facts, variant.threads, variant.memory
    sizes = [
        bench.machine.cores,
        *((facts.dimensions, facts.max_tokens) if facts else ()),
        *((threads.workers, threads.per_worker) if threads else ()),
        *((memory.peak, memory.device) if memory else ()),
        *(size for work in variant.workloads for size in (work.texts, work.tokens)),
    ]
    if any(abs(size) > _MOST for size in sizes if size is not None):
        raise HarnessError(f"the bench has sizes of {variant.label} that are too large to be true")
