"""Comparisons as Markdown, for a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import flip_tables
from harness.comparison.matrix import matrix_tables, pareto_table
from harness.comparison.tables import answer_tables, plural
from harness.render import escaped, to_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import Comparison, ParetoPoint


def markdown(
    comparisons: Sequence[Comparison],
    *,
    title: str = "",
    matrix: bool = False,
    front: Sequence[ParetoPoint] = (),
) -> str:
    """Write comparisons for a pull-request comment: the answers, then the tables; reasons are folded away.

    matrix: the tables of `matrix_tables` in place of each comparison's own.
    """
    parts = [f"## {escaped(title)}\n"] if title else []
    answers = [f"**{escaped(one.sentence)}**" for one in comparisons if one.sentence.strip()]
    if answers:
        bullet = "- " if len(answers) > 1 else ""
        parts.append("".join(f"{bullet}{answer}\n" for answer in answers))
    if matrix:
        parts += [to_markdown([table]) for table in matrix_tables(comparisons)]
    else:
        parts += [part for one in comparisons for part in _sections(one)]
    if front:
        parts.append(to_markdown([pareto_table(front)]))
    return "\n".join(parts)


def _sections(comparison: Comparison) -> Iterator[str]:
    answer, *further = answer_tables(comparison)
    yield to_markdown([answer])
    yield from (f"#{to_markdown([table])}" for table in further)
    if tables := flip_tables(comparison):
        lines = f"Why: {plural(len(comparison.changes), 'line')} in detail"
        yield f"<details>\n<summary>{lines}</summary>\n\n{to_markdown(tables)}\n</details>\n"
