"""Inputs that checks are tried on: sparse, strange and clean ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from harness.training.check_input import CheckInput, Claim, ColumnFacts, LogEntry, Rows, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    What = Literal["dataset", "recipe", "candidate", "model", "card"]

_KINDS: tuple[What, ...] = ("dataset", "recipe", "candidate", "model", "card")
_CELLS: tuple[Any, ...] = (
    "A plain sentence.", "", "  ", None, math.nan, 3, {"title": "t", "text": "x"}, ["a", "b"], "时间",
    "\x00 \ud800", "A plain sentence.", "l" * 5000,
)  # fmt: skip
_LABELS: tuple[Any, ...] = (0, 1, 1.0, 0.5, -1, 5, math.nan, math.inf, None, "entailment", True, 1)

_WHO = (
    "The ferry",
    "A teacher",
    "Our neighbor",
    "The committee",
    "A young dog",
    "The old printer",
    "My sister",
)
_DOES = ("waits for", "writes about", "pays for", "asks about", "forgets", "looks after", "talks about")
_WHAT = (
    "the harbor.",
    "a long report.",
    "the invoice.",
    "two books.",
    "the garden.",
    "an early train.",
    "the rain.",
)


def sparse_inputs() -> list[CheckInput]:
    """Return an input of each kind of which nothing else is known."""
    return [CheckInput(path=f"nothing.{what}", what=what) for what in _KINDS]


def strange_inputs() -> list[CheckInput]:
    """Return inputs with cells, labels and figures as broken files and cards have them."""
    cells = list(_CELLS)
    reversed_cells = cells[::-1]
    rows = [
        Rows(kind="pairs", texts={"text1": cells, "text2": reversed_cells}),
        Rows(kind="triplets", texts={"anchor": cells, "positive": reversed_cells, "negative": cells}),
        Rows(kind="scored-pairs", texts={"text1": cells, "text2": reversed_cells}, labels=list(_LABELS)),
        Rows(kind="labeled-pairs", texts={"text1": cells, "text2": reversed_cells}, labels=list(_LABELS)),
        Rows(kind="labeled-texts", texts={"text": cells}, labels=list(_LABELS)),
        Rows(kind="pairs", texts={"text1": [], "text2": []}),
        Rows(kind="pairs", texts={"text1": ["one"], "text2": ["row"]}, complete=False),
    ]
    named = [
        CheckInput(path=f"strange rows ({some.kind})", what="dataset", rows=some, size=len(some))
        for some in rows
    ]
    return [*named, _strange_card()]


def _strange_card() -> CheckInput:
    return CheckInput(
        path="a strange card",
        what="card",
        trained=True,
        loss_name="SomebodysOwnLoss",
        size=0,
        batch_size=0,
        epochs=0.0,
        steps=0,
        columns=(
            ColumnFacts(name="sentence_0", type="string", low=0, mean=math.nan, high=0, unit="tokens"),
            ColumnFacts(
                name="label", type="float", low=math.nan, mean=math.nan, high=math.inf, shares={"": 1.0}
            ),
        ),
        log=(
            LogEntry(epoch=0.0, step=0, loss=math.nan),
            LogEntry(epoch=1.0, step=10, loss=math.inf, metrics={"dev_spearman_cosine": math.nan}),
            LogEntry(epoch=1.0, step=10, loss=-1.0),
        ),
        claims=(Claim(dataset="", metric="", value=math.nan), Claim(dataset="d", metric="m", value=math.inf)),
        usage=Usage(texts=("one",), similarities=((math.nan,),)),
        samples=("",),
    )


def clean_rows() -> CheckInput:
    """Return clean pairs of short English sentences, each text once."""
    texts = [f"{who} {does} {what}" for who in _WHO for does in _DOES for what in _WHAT]
    half = len(texts) // 2
    pairs: dict[str, Sequence[str]] = {"text1": texts[:half], "text2": texts[half : 2 * half]}
    return CheckInput(path="clean pairs", what="dataset", rows=Rows(kind="pairs", texts=pairs), size=half)
