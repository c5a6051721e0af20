"""Comparisons as Markdown, for a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import flip_tables
from harness.comparison.looks import common_looks
from harness.comparison.matrix import matrix_tables, pareto_table
from harness.comparison.selection_tables import selection_tables
from harness.comparison.tables import answer_tables
from harness.render import escaped, plural
from harness.table import to_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import Comparison, ParetoPoint, Selection


def markdown(
    comparisons: Sequence[Comparison],
    *,
    title: str = "",
    matrix: bool = False,
    front: Sequence[ParetoPoint] = (),
    warnings: Sequence[str] = (),
    selection: Selection | None = None,
) -> str:
    """Write comparisons for a pull-request comment: summaries, then tables; those of `--why` are folded.

    matrix: write `matrix_tables` in place of each comparison's tables. warnings: on all comparisons.
    """
    parts = [f"## {escaped(title)}\n"] if title else []
    summaries = [f"**{escaped(each.sentence)}**" for each in comparisons if each.sentence.strip()]
    if summaries:
        bullet = "- " if len(summaries) > 1 else ""
        parts.append("".join(f"{bullet}{summary}\n" for summary in summaries))
    parts += [f"{escaped(warning)}\n" for warning in warnings]
    if selection is not None:
        parts += [to_markdown([table]) for table in selection_tables(selection)]
    said = common_looks(comparisons)
    if matrix:
        parts += [to_markdown([table]) for table in matrix_tables(comparisons)]
    else:
        parts += [part for comparison in comparisons for part in _sections(comparison, said)]
        parts += [f"{escaped(remark)}\n" for remark in said]
    if front:
        parts.append(to_markdown([pareto_table(front)]))
    return "\n".join(parts)


def _sections(comparison: Comparison, said: Sequence[str]) -> Iterator[str]:
    answer, *further = answer_tables(comparison, said)
    yield to_markdown([answer])
    yield from (f"#{to_markdown([table])}" for table in further)
    if tables := flip_tables(comparison):
        title = f"Why: {plural(len(comparison.changes), 'line')} in detail"
        yield f"<details>\n<summary>{title}</summary>\n\n{to_markdown(tables)}\n</details>\n"
