"""Keys of a task file for a folder of retrieval data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness.authoring import TaskOption

if TYPE_CHECKING:
    from harness.authoring import TaskDefinition

KEYS = {
    "split": TaskOption(str, "split = 'dev' reads qrels/dev.tsv"),
    "header": TaskOption(bool, "header = false: the first line of tsv, csv and txt files is a row"),
    "missing-documents": TaskOption(
        Literal["unreachable", "drop"],
        "'unreachable' counts judged documents that the corpus lacks as never found; 'drop' leaves them out",
    ),
    "ties": TaskOption(
        Literal["expected", "trec_eval"],
        "'expected' is the mean over all orders of tied documents; 'trec_eval' orders them by id",
    ),
    "identical": TaskOption(
        Literal["auto", "drop", "keep"],
        "'auto' leaves out a document whose id and text are the query's; 'drop' looks at ids alone",
    ),
    "config": TaskOption(str, "config = 'en' reads the hub's en-corpus, en-queries and en-qrels"),
}


def read_options(definition: TaskDefinition) -> dict[str, Any]:
    """Return the options of a definition by the names of the fields of `BeirFolder` and `Retrieval`."""
    return {key.replace("-", "_"): definition.options[key] for key in KEYS if key in definition.options}
