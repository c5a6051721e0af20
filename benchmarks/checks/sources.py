"""All data sets of the study, with the half of each: a fixed table, whichever files there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.checks import generated as made
from benchmarks.checks import look_wrong, real
from benchmarks.checks.dataset import DataSet, Source, half_of
from benchmarks.checks.generated import CONTRASTIVE, COSENT, COSINE, MNRL, ONLINE, TRIPLET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

E5, BGE, NOMIC, ARCTIC = (
    "intfloat/e5-base-v2", "BAAI/bge-base-en-v1.5", "nomic-ai/nomic-embed-text-v1.5", "Snowflake/snowflake-arctic-embed-m",
)  # fmt: skip


def _made(name: str, kind: str, function: Callable[..., DataSet], *args: object, **options: object) -> Source:
    return Source(name, kind, lambda root: function(name, *args, **options))  # noqa: ARG005 - it needs no folder


def _real(
    name: str, kind: str, reader: Callable[..., Callable[[Path | None], DataSet | None]], *args: object
) -> Source:
    return Source(name, kind, reader(name, *args))


SOURCES = (
    _made("events-scored", "scored-pairs", made.scored_events, 250),
    _made("questions-scored", "scored-pairs", made.scored_questions, 250),
    _made("events-scored-large", "scored-pairs", made.scored_events, 400, COSENT),
    _made("german-scored", "scored-pairs", made.scored_german, 200),
    _made("events-scored-small", "scored-pairs", made.scored_events, 120),
    _made("questions-scored-large", "scored-pairs", made.scored_questions, 400),
    _real("stsb-captions", "scored-pairs", real.stsb, "stsb-en-train.csv", 0, 2000, 250, COSINE),
    _real("stsb-news", "scored-pairs", real.stsb, "stsb-en-train.csv", 3750, 5749, 250, COSINE),
    _real("stsb-forums", "scored-pairs", real.stsb, "stsb-en-train.csv", 2000, 3750, 250, COSENT),
    _real("stsb-dev", "scored-pairs", real.stsb, "stsb-en-dev.csv", 0, 1500, 400, COSINE),
    _real("sample-stsb", "scored-pairs", real.sample_stsb),
    _real("stsb-test", "scored-pairs", real.stsb, "stsb-en-test.csv", 0, 1379, 250, COSENT),
    _made("questions-labeled", "labeled-pairs", made.labeled_questions, 250, 0.5, CONTRASTIVE),
    _made("events-labeled", "labeled-pairs", made.labeled_events, 250, ONLINE),
    _made("questions-rare", "labeled-pairs", made.labeled_questions, 400, 0.25, ONLINE),
    _made("clauses-labeled", "labeled-pairs", made.labeled_clauses, 250),
    _made("events-labeled-small", "labeled-pairs", made.labeled_events, 120, CONTRASTIVE),
    _made("questions-labeled-large", "labeled-pairs", made.labeled_questions, 400, 0.4, CONTRASTIVE),
    _real("snli-labeled", "labeled-pairs", real.snli_pairs, 250, CONTRASTIVE),
    _real("snli-labeled-later", "labeled-pairs", real.snli_pairs, 400, ONLINE, 4000),
    _real("sample-clauses", "labeled-pairs", real.sample_clauses),
    _real("contract-nli", "labeled-pairs", real.contract_nli, 250),
    _made("events-triplets", "triplets", made.triplets_events, 150, TRIPLET),
    _made("towns-triplets", "triplets", made.triplets_towns, 150, TRIPLET),
    _made("answers-triplets", "triplets", made.triplets_answers, 150, MNRL),
    _made("events-triplets-mnrl", "triplets", made.triplets_events, 250, MNRL),
    _real("snli-triplets", "triplets", real.snli_triplets, 150, TRIPLET),
    _real("snli-triplets-mnrl", "triplets", real.snli_triplets, 250, MNRL),
    _real("sample-legal", "triplets", real.legal_triplets, None),
    _real("ipc-illustrations", "triplets", real.legal_triplets, "ipc-illustrations.jsonl"),
    _made("answers", "pairs", made.pairs_answers, 150),
    _made("towns", "pairs", made.pairs_towns, 150),
    _made("events", "pairs", made.pairs_events, 250),
    _made("code", "pairs", made.pairs_code),
    _made("records", "pairs", made.pairs_records, 150),
    _made("towns-large", "pairs", made.pairs_towns, 250, start=1000),
    _real("scifact-titles", "pairs", real.titles, "scifact", 120, 120),
    _real("cranfield-titles", "pairs", real.titles, "cranfield", 120, 120),
    _real("statute-titles", "pairs", real.titles, "aila-statutes", 120, 60),
    _real("scifact-claims", "pairs", real.queries, "scifact", "train", 150),
    _real("cranfield-queries", "pairs", real.queries, "cranfield", "test", 150),
    _real("case-titles", "pairs", real.titles, "aila-casedocs", 120, 80),
    _real("sample-statutes", "pairs", real.sample_titles),
    _made("answers-e5", "pairs", made.pairs_answers, 150, prefixes=("query: ", "passage: "), base=E5),
    _made("towns-e5", "pairs", made.pairs_towns, 150, prefixes=("query: ", "passage: "), base="intfloat/multilingual-e5-small", start=2000),
    _made("events-e5", "pairs", made.pairs_events, 150, prefixes=("query: ", "query: "), base="intfloat/e5-small-v2"),
    _made("answers-nomic", "pairs", made.pairs_answers, 150, prefixes=("search_query: ", "search_document: "), base=NOMIC),
    _made("towns-nomic", "pairs", made.pairs_towns, 150, prefixes=("search_query: ", "search_document: "), base=NOMIC, start=2300),
    _made("towns-bge", "pairs", made.pairs_towns, 150, prefixes=("Represent this sentence for searching relevant passages: ", ""), base=BGE, start=2500),
    _made("answers-bge", "pairs", made.pairs_answers, 150, prefixes=("Represent this sentence for searching relevant passages: ", ""), base="BAAI/bge-small-en-v1.5"),
    _made("answers-arctic", "pairs", made.pairs_answers, 150, prefixes=("Represent this sentence for searching relevant passages: ", ""), base=ARCTIC),
    _made("towns-arctic", "pairs", made.pairs_towns, 150, prefixes=("Represent this sentence for searching relevant passages: ", ""), base="Snowflake/snowflake-arctic-embed-s", start=2700),
    _made("answers-e5-large", "pairs", made.pairs_answers, 150, prefixes=("query: ", "passage: "), base="intfloat/multilingual-e5-large"),
    _made("intents", "labeled-texts", made.texts_intents, 150, 8),
    _made("actions", "labeled-texts", made.texts_actions, 150, 12),
    _made("intents-few", "labeled-texts", made.texts_intents, 150, 5),
    _made("sentiment", "labeled-texts", made.texts_intents, 150, 4, suffix=True),
    _made("towns-by-country", "labeled-texts", made.texts_towns, 150),
    _made("actions-many", "labeled-texts", made.texts_actions, 250, 30),
    _made("intents-large", "labeled-texts", made.texts_intents, 250, 8, suffix=True),
    _made("actions-two", "labeled-texts", made.texts_actions, 120, 2),
    _real("sample-clause-topics", "labeled-texts", real.sample_clause_topics),
    _real("contract-topics", "labeled-texts", real.contract_topics, 150),
    _made("records-triplets", "triplets", made.triplets_records, 150, MNRL),
    _made("intents-triplets", "triplets", made.triplets_intents, 150, TRIPLET),
    _made("towns-triplets-mnrl", "triplets", made.triplets_towns, 150, MNRL),
    _made("answers-triplets-hinge", "triplets", made.triplets_answers, 150, TRIPLET),
    _made("signs", "pairs", look_wrong.pairs_signs),
    _made("letters", "pairs", look_wrong.pairs_letters, 150),
    _made("few-words", "pairs", look_wrong.pairs_few_words),
    _made("negations", "labeled-pairs", look_wrong.labeled_negations, 250),
    _made("markup", "pairs", look_wrong.pairs_markup),
    _made("wrapped", "pairs", look_wrong.pairs_wrapped, 120),
    _made("both-orders", "labeled-pairs", look_wrong.labeled_both_orders),
)  # fmt: skip
"""Data sets without a seeded fault."""


def read(source: Source, root: Path | None) -> DataSet | None:
    """Return a data set with its half, or None where its files are missing."""
    dataset = source.build(root)
    if dataset is None:
        return None
    return replace(dataset, half=half_of(source, SOURCES))


def read_all(root: Path | None) -> Iterator[DataSet]:
    """Yield all data sets whose files are there."""
    for source in SOURCES:
        dataset = read(source, root)
        if dataset is not None:
            yield dataset
