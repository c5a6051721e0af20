"""The cost model: what encoding and searching a corpus takes, linear in texts, from a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.bench.cost.basis import basis_of, choose_variant
from harness.bench.cost.constants import (
    CHARACTERS_PER_TOKEN,
    CHUNK_CHARACTERS,
    DOCUMENT_BYTES,
    ENCODE_BYTES,
    ENCODE_ERROR,
    IN_FLIGHT,
    KEY_BYTES,
    LEAST_PART,
    LONGEST_CHARACTERS,
    NEXT_WORKER,
    PROCESS_BYTES,
    SEARCH_QUERY,
    TEXT_BYTES,
    UNIT_CHUNKS,
)
from harness.bench.cost.records import BytesCost, CostPlan, CostRange, StageCost
from harness.bench.cost.speed import pair_seconds, seconds_of
from harness.bench.cost.words import assumptions, extrapolations, left_out
from harness.errors import HarnessError
from harness.models.storage import PRECISIONS, embedding_bytes
from harness.render import plural

if TYPE_CHECKING:
    from harness.bench.cost.basis import PlanBasis
    from harness.bench.cost.records import CostQuestion, Stage
    from harness.bench.cost.speed import TimedLength
    from harness.bench.records import Bench

_FLOAT = 4
"""Bytes of a float32."""
_SENTENCE = 20
"""Tokens of a text whose model counts none."""
_FOUND = 16
"""Bytes of a found document: its row and its score."""
_COUNTS = ("documents", "queries", "workers", "models", "depth", "shard")
"""Fields of a question that are whole numbers from 1."""


def plan_cost(bench: Bench, question: CostQuestion, model: str | None = None) -> CostPlan:
    """Return what a corpus takes on workers of the device that a bench was measured on.

    model: label of a variant of the bench, or its model's name; None where it has one that was measured.
    Raises HarnessError for a question that has no answer, an unknown model, and a bench without a speed.
    """
    _check(question)
    basis = basis_of(bench, question, choose_variant(bench, model))
    full = basis.facts.dimensions
    dimensions = question.dimensions or full
    if dimensions > full:
        raise HarnessError(
            f"--dimensions {dimensions}: {basis.variant.label} has {full}", hint=f"at most {full}"
        )
    stages = (
        _encoding("encode documents", question.documents, basis.tokens, basis.documents, basis, question),
        _encoding("encode queries", question.queries, basis.query_tokens, basis.queries, basis, question),
        _search(dimensions, basis, question),
    )
    machine = bench.machine
    return CostPlan(
        variant=basis.variant.label,
        machine=", ".join([machine.processor, plural(machine.cores, "core"), *machine.devices]),
        documents=question.documents,
        queries=question.queries,
        workers=question.workers,
        models=question.models,
        depth=question.depth,
        dimensions=dimensions,
        precision=question.precision,
        stages=stages,
        one_worker=stages[0].one_worker + stages[1].one_worker + stages[2].one_worker,
        seconds=stages[0].seconds + stages[1].seconds + stages[2].seconds,
        memory=tuple(_memory(dimensions, basis, question)),
        assumptions=tuple(assumptions(basis, question, dimensions)),
        extrapolations=tuple(extrapolations(basis, question)),
        left_out=tuple(left_out(basis, question)),
    )


def _check(question: CostQuestion) -> None:
    for name in _COUNTS:
        if getattr(question, name) < 1:
            raise HarnessError(
                f"--{name} {getattr(question, name)}: there is nothing to plan", hint="at least 1"
            )
    for name in ("tokens", "query_tokens", "dimensions"):
        value = getattr(question, name)
        if value is not None and not 0 < value < float("inf"):
            raise HarnessError(f"--{name.replace('_', '-')} {value:g} is not a positive number")
    if question.precision not in PRECISIONS:
        raise HarnessError.unknown("precision", question.precision, PRECISIONS)


def speedup(parts: int, workers: int) -> CostRange:
    """Return how many times faster workers are than one: each further one adds a part of the first's speed.

    parts: into which the work can be cut at most; fewer than workers leave some idle.
    """
    others = min(workers, parts) - 1
    return CostRange(*(1 + others * part for part in (NEXT_WORKER.value, NEXT_WORKER.low, NEXT_WORKER.high)))


def chunk_texts(tokens: float | None) -> int:
    """Return the texts of a chunk; tokens: of a text on average, those of a sentence if unknown."""
    characters = CHARACTERS_PER_TOKEN * (_SENTENCE if tokens is None else tokens)
    return int(CHUNK_CHARACTERS / max(1.0, min(characters, LONGEST_CHARACTERS)))


def _encoding(
    stage: Stage,
    texts: int,
    tokens: float | None,
    like: TimedLength,
    basis: PlanBasis,
    question: CostQuestion,
) -> StageCost:
    of_text = like.seconds if tokens is None else seconds_of(basis.timed, tokens)
    alone = (of_text * (texts * question.models)).widened(ENCODE_ERROR)
    # Units of all candidates interleave, so workers idle only where all of them are few.
    chunks = -(-texts // chunk_texts(tokens)) * question.models
    seconds = alone.over(speedup(chunks, question.workers))
    return StageCost(stage=stage, texts=texts, tokens=tokens, one_worker=alone, seconds=seconds)


def _search(dimensions: int, basis: PlanBasis, question: CostQuestion) -> StageCost:
    documents, searches = question.documents, question.queries * question.models
    pairs = pair_seconds(basis.gflops, basis.cores, dimensions) * (documents * searches)
    parts = -(-documents // question.shard)
    of_part = SEARCH_QUERY * (searches / basis.cores)
    # Each worker keeps best lists of its own, of one part at least.
    spread = pairs.over(speedup(-(-documents // LEAST_PART) * question.models, question.workers))
    return StageCost(
        stage="search",
        texts=documents,
        tokens=None,
        one_worker=pairs + of_part * parts,
        seconds=spread + of_part * -(-parts // question.workers),
    )


def rows_at_once(question: CostQuestion) -> int:
    """Return the documents that a worker holds and searches at once: at most its part of all."""
    return min(question.shard, -(-question.documents // question.workers))


def _memory(dimensions: int, basis: PlanBasis, question: CostQuestion) -> list[BytesCost]:
    """Return what disks, the driver, and each worker hold."""
    full, measured = basis.facts.dimensions, basis.variant.memory
    texts, candidates = question.documents + question.queries, question.models
    row, stored = full * _FLOAT, embedding_bytes(dimensions, question.precision)
    unit = UNIT_CHUNKS * chunk_texts(basis.tokens) * (row + _text_bytes(basis.tokens))
    best = question.queries * question.depth * _FOUND
    driver = (
        PROCESS_BYTES + question.queries * row + question.workers * (IN_FLIGHT * unit + best * candidates)
    )
    rows = rows_at_once(question)
    # Cut embeddings are a view of those in full; quantized ones are a copy, in float32.
    searched = row + (dimensions * _FLOAT if question.precision != "float32" else 0) + DOCUMENT_BYTES
    peak = measured.peak if measured else None
    process = max(peak or 0, PROCESS_BYTES)
    held = [
        BytesCost(
            where="disk", what="cache: embeddings in full", bytes=texts * candidates * (row + KEY_BYTES)
        ),
        BytesCost(
            where="disk",
            what=f"documents alone, {dimensions} × {question.precision}",
            bytes=question.documents * candidates * stored,
        ),
        BytesCost(where="driver", what="RAM", bytes=driver),
        BytesCost(
            where="each worker",
            what="RAM, encoding",
            bytes=None if peak is None else peak + unit + ENCODE_BYTES,
        ),
        BytesCost(
            where="each worker",
            what=f"RAM, searching {rows:,} at once",
            bytes=process + rows * searched + best,
        ),
    ]
    held.append(
        BytesCost(
            where="one process",
            what="RAM, if it searches all",
            bytes=process + question.documents * searched + best,
        )
    )
    if measured and measured.device is not None:
        held.append(BytesCost(where="each worker", what="VRAM", bytes=measured.device))
    return held


def _text_bytes(tokens: float | None) -> int:
    return TEXT_BYTES + int(CHARACTERS_PER_TOKEN * (tokens or 0))
