"""Keys of a task file for a folder of retrieval data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import HarnessError
from harness.authoring import TieOrder
from harness_retrieval.copies import Identical

if TYPE_CHECKING:
    from harness.authoring import TaskDefinition


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the values that it takes."""

    allowed: type | tuple[str, ...]
    """The type of its values, or the values."""
    in_words: str
    hint: str
    """What it does."""


KEYS = {
    "split": Key(str, "a text", "split = 'dev' reads qrels/dev.tsv"),
    "header": Key(bool, "true or false", "header = false: the first line of tsv, csv and txt files is a row"),
    "missing-documents": Key(
        ("unreachable", "drop"),
        "'unreachable' or 'drop'",
        "'unreachable' counts judged documents that the corpus lacks as never found; 'drop' leaves them out",
    ),
    "ties": Key(
        (TieOrder.EXPECTED, TieOrder.TREC_EVAL),
        "'expected' or 'trec_eval'",
        "'expected' is the mean over all orders of tied documents; 'trec_eval' orders them by id",
    ),
    "identical": Key(
        tuple(Identical),
        "'auto', 'drop' or 'keep'",
        "'auto' leaves out a document whose id and text are the query's; 'drop' looks at ids alone",
    ),
    "config": Key(str, "a text", "config = 'en' reads the hub's en-corpus, en-queries and en-qrels"),
}


def read_options(definition: TaskDefinition) -> dict[str, Any]:
    """Return the options of a definition by the names of the fields of `BeirFolder` and `Retrieval`.

    Raises HarnessError for a value that its key does not take.
    """
    return {key.replace("-", "_"): _value(definition, key) for key in KEYS if key in definition.options}


def _value(definition: TaskDefinition, name: str) -> Any:  # noqa: ANN401 - of the type that KEYS says
    key, value = KEYS[name], definition.options[name]
    fits = isinstance(value, key.allowed) if isinstance(key.allowed, type) else value in key.allowed
    if not fits:
        raise HarnessError(f"task {definition.name}: {name} is not {key.in_words}: {value!r}", hint=key.hint)
    return value
