"""Check `inputs`: records, missing, broken, truncated and nearly equal texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Finding, Severity
from harness.training import Check
from harness_train.card_labels import LABEL_NAMES
from harness_train.duplicates import MANY, shorten
from harness_train.encoding_errors import check_texts
from harness_train.near_duplicates import check_near_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from harness.training import CheckInput, ColumnFacts, Rows

MOST_COUNTED = 5000
"""Maximum number of distinct texts whose tokens are counted, spread evenly over the rows."""
_RECORDS = ("dict", "struct", "map")
"""Prefixes of a card's column types that are records, not texts."""
_MEDIA = frozenset({"text", "image", "audio", "video", "message", "role", "content"})
"""Keys of the records that sentence-transformers 5.4 and later read for models of several media."""


def check_inputs(training: CheckInput) -> Iterator[Finding]:
    """Find what reading found, and records and missing, empty, broken, truncated and nearly equal texts."""
    rows = training.rows
    if rows is None or not rows.complete:
        yield from _records_of_card(training.columns, rows)
        yield from _truncated_on_card(training)
    if rows is not None and rows.complete:
        yield from rows.findings
        yield from _records(rows)
        yield from _missing(rows)
        yield from _empty(rows)
        yield from _truncated(rows, training)
        yield from check_near_duplicates(rows)
    examples = () if training.usage is None else training.usage.texts
    cells = [] if rows is None else [cell for column in rows.texts.values() for cell in column]
    texts = list(dict.fromkeys(_texts([*cells, *examples, *training.samples])))
    garbled = training.garbled and (rows is None or not rows.complete)
    yield from check_texts(texts, garbled=garbled, count=_counter(training))


def _counter(training: CheckInput) -> Callable[[Sequence[str]], Sequence[int]] | None:
    """Return what counts the base's tokens of texts, by its tokenizer alone; None where it is not known."""
    tokens = training.tokens
    return None if tokens is None else lambda texts: [count for count, _ in tokens(texts)]


def _records_of_card(columns: Sequence[ColumnFacts], rows: Rows | None) -> Iterator[Finding]:
    records = [
        column
        for column in columns
        if column.type.lower().startswith(_RECORDS) and column.name not in LABEL_NAMES
    ]
    if records:
        named = " and ".join(f"{column.name} ({column.type})" for column in records)
        cells = [] if rows is None else [cell for column in rows.texts.values() for cell in column]
        first = next((cell for cell in cells if isinstance(cell, dict)), {})
        if first and _MEDIA.issuperset(first):
            return
        yield _dict_inputs(f"The columns {named} of the training rows were records", tuple(map(str, first)))


def _records(rows: Rows) -> Iterator[Finding]:
    for name, cells in rows.texts.items():
        records = [row for row, cell in enumerate(cells) if isinstance(cell, dict | list)]
        if records:
            first = cells[records[0]]
            keys = tuple(map(str, first)) if isinstance(first, dict) else ()
            count = f"{len(records)} of {len(cells)} cells of {name}"
            yield _dict_inputs(f"{count} are records, the first {shorten(first)!r}", keys, name)


def _dict_inputs(evidence: str, keys: Sequence[str], name: str = "text1") -> Finding:
    fields = " — ".join(f"{{{key}}}" for key in keys[:3]) or "{title} — {text}"
    first = f"the first key ({keys[0]})" if keys else "the first key"
    return Finding(
        "dict-inputs",
        Severity.ERROR,
        f"{evidence}: sentence-transformers 3 read only {first}, without a warning; newer versions raise.",
        f'Set how a record becomes text, under [data] in the recipe: templates = {{ {name} = "{fields}" }}.',
    )


def _missing(rows: Rows) -> Iterator[Finding]:
    for name, cells in rows.texts.items():
        missing = [row for row, cell in enumerate(cells) if not isinstance(cell, str | dict | list)]
        if missing:
            none = sum(cell is None or (isinstance(cell, float) and math.isnan(cell)) for cell in cells)
            yield Finding(
                "missing-texts",
                Severity.ERROR,
                f"{len(missing)} of {len(cells)} cells of {name} are not texts ({none} of them are empty);"
                f" the first is {cells[missing[0]]!r} in row {missing[0] + 1}.",
                "Drop these rows; sentence-transformers raises for them, or trains on the word 'None'.",
            )


def _empty(rows: Rows) -> Iterator[Finding]:
    for name, cells in rows.texts.items():
        empty = [row for row, cell in enumerate(cells) if isinstance(cell, str) and not cell.strip()]
        if empty:
            yield Finding(
                "empty-texts",
                Severity.ERROR if len(empty) >= MANY * len(cells) else Severity.WARNING,
                f"{len(empty)} of {len(cells)} cells of {name} are empty or white space, the first in row"
                f" {empty[0] + 1}: all of them get the same embedding.",
                "Drop these rows.",
            )


def _truncated_on_card(training: CheckInput) -> Iterator[Finding]:
    """Find a longest text of exactly the limit: a card's statistics are of truncated texts."""
    limit = training.max_tokens
    full = [column.name for column in training.columns if column.unit == "tokens" and column.high == limit]
    if limit is not None and full:
        names = " and ".join(filter(None, (", ".join(full[:-1]), full[-1])))
        yield Finding(
            "truncated-texts",
            Severity.NOTE,
            f"The longest text of {names} has {limit} tokens, the maximum of the model: it"
            " was probably longer and cut there, and the card does not say how many were.",
            "With the data, `harness check` counts them; train.max_seq_length in the recipe sets the limit.",
        )


def _truncated(rows: Rows, training: CheckInput) -> Iterator[Finding]:
    if training.base is None:
        return
    texts = list(dict.fromkeys(_texts(cell for cells in rows.texts.values() for cell in cells)))
    counted = texts[:: max(1, -(-len(texts) // MOST_COUNTED))]
    base = training.base()
    limit = training.max_tokens or base.facts.max_tokens
    tokens = base.count_tokens(counted) if counted and limit is not None else None
    if tokens is None or limit is None or not (tokens > limit).any():
        return
    over = tokens > limit
    of = f"{len(counted)} texts" + (f", drawn from {len(texts)}," if len(counted) < len(texts) else "")
    lost = (tokens[over] - limit).sum() / tokens.sum()
    yield Finding(
        "truncated-texts",
        Severity.WARNING if over.mean() >= MANY else Severity.NOTE,
        f"{int(over.sum())} of {of} ({over.mean():.1%}) are longer than {limit} tokens, the longest has"
        f" {int(tokens.max())}: {lost:.0%} of all tokens are not read.",
        "Raise train.max_seq_length if the base has the positions for it, or cut texts into passages.",
    )


def _texts(cells: Iterable[Any]) -> Iterator[str]:
    """Yield every text that is not blank, also those inside records."""
    for cell in cells:
        if isinstance(cell, str):
            if cell.strip():
                yield cell
        elif isinstance(cell, dict | list):
            yield from _texts(cell.values() if isinstance(cell, dict) else cell)


INPUTS = Check(
    "inputs",
    "records; empty, broken, truncated or similar texts; several scripts",
    check_inputs,
    (
        "dict-inputs", "missing-texts", "empty-texts", "mojibake", "decoding-unchecked", "pdf-debris",
        "mixed-scripts", "truncated-texts", "near-duplicates",
        # Of reading rows:
        "tabs-delimit", "doubtful-quotes", "ragged-rows", "class-names", "missing-parts", "no-header",
        "rows-dropped", "several-files",
    ),
)  # fmt: skip
