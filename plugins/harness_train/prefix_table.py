"""Prefixes that models were trained with, by name, and where their authors say so."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEARCH = "Represent this sentence for searching relevant passages: "
_INSTRUCT = "Instruct: TASK\\nQuery: "


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixRule:
    """Which texts of a family of models need which prefix."""

    models: re.Pattern[str]
    """Matches the last part of a model's name, in lower case."""
    prefix: re.Pattern[str]
    """Matches one of the prefixes."""
    wanted: str
    """The prefixes, for a remedy."""
    every: bool
    """Whether every text needs one; False where only queries do."""
    source: str
    """Page of the authors."""


def prefix_rule(base: str) -> PrefixRule | None:
    """Return the rule for a model, by the last part of its name; None for a model that needs no prefix."""
    name = base.rstrip("/").rpartition("/")[2].rpartition(":")[2].lower()
    return next((rule for rule in _RULES if rule.models.fullmatch(name)), None)


def _rule(models: str, prefix: str, wanted: str, source: str, *, every: bool) -> PrefixRule:
    return PrefixRule(
        models=re.compile(models),
        prefix=re.compile(prefix, re.IGNORECASE),
        wanted=wanted,
        every=every,
        source=f"https://huggingface.co/{source}",
    )


_RULES = (
    _rule(
        r"(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?|user-base",
        r"(?<![A-Za-z_])(query|passage):",
        '"query: " and "passage: " (of texts of one kind, "query: " alone)',
        "intfloat/e5-base-v2",
        every=True,
    ),
    _rule(
        r"nomic-embed-text-v(1|1\.5|2-moe|1-unsupervised|1-ablated|2-moe-unsupervised)"
        r"|modernbert-embed-(base|large)|ru-en-roberta|user2-(small|base)",
        r"(search_query|search_document|classification|clustering):",
        '"search_query: " and "search_document: ", or "classification: " or "clustering: "',
        "nomic-ai/nomic-embed-text-v1.5",
        every=True,
    ),
    _rule(
        r"embeddinggemma-300m(-.*)?",
        r"(task|title): [^|\n]*\|",
        '"task: search result | query: " and "title: none | text: "',
        "google/embeddinggemma-300m",
        every=True,
    ),
    _rule(
        r"instructor-(base|large|xl)",
        r"^\s*represent ",
        '"Represent the … for …: "',
        "hkunlp/instructor-large",
        every=True,
    ),
    _rule(
        r"snowflake-arctic-embed-[ml]-v2\.0",
        r"query:",
        '"query: "',
        "Snowflake/snowflake-arctic-embed-l-v2.0",
        every=False,
    ),
    _rule(
        r"snowflake-arctic-embed-(xs|s|m|l|m-long|m-v1\.5)",
        r"represent this sentence for searching",
        f'"{_SEARCH}"',
        "Snowflake/snowflake-arctic-embed-m-v1.5",
        every=False,
    ),
    _rule(
        r"bge-(small|base|large)-en(-v1\.5)?",
        r"represent this \S+ for searching",
        f'"{_SEARCH}"',
        "BAAI/bge-base-en-v1.5",
        every=False,
    ),
    _rule(
        r"bge-(small|base|large)-zh(-v1\.5)?",
        r"为这个句子生成表示以用于检索",
        '"为这个句子生成表示以用于检索相关文章："',
        "BAAI/bge-base-zh-v1.5",
        every=False,
    ),
    _rule(
        r"mxbai-embed-(large-v1|2d-large-v1|xsmall-v1)",
        r"represent this sentence for searching",
        f'"{_SEARCH}"',
        "mixedbread-ai/mxbai-embed-large-v1",
        every=False,
    ),
    _rule(
        r"uae-large-v1",
        r"represent this sentence for searching",
        f'"{_SEARCH}"',
        "WhereIsAI/UAE-Large-V1",
        every=False,
    ),
    *(
        _rule(models, r"instruct:", f'"{_INSTRUCT}"', source, every=False)
        for models, source in (
            (r"(multilingual-)?e5-.*-instruct|e5-mistral-.*", "intfloat/e5-mistral-7b-instruct"),
            (r"gte-qwen.*-instruct", "Alibaba-NLP/gte-Qwen2-7B-instruct"),
            (r"qwen3-embedding-.*", "Qwen/Qwen3-Embedding-0.6B"),
            (r"sfr-embedding-.*", "Salesforce/SFR-Embedding-Mistral"),
            (r"linq-embed-mistral", "Linq-AI-Research/Linq-Embed-Mistral"),
            (r"stella_en_.*_v5", "NovaSearch/stella_en_400M_v5"),
        )
    ),
)
"""Checked with the prompts that mteb 2.26 evaluates these models with (mteb/models/model_implementations)."""
