"""Numbered parts of a table in files of their own: `part-1.jsonl`, `part-2.jsonl`, …"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SPARSE = 10
"""Numbers of which fewer than one in so many are there count nothing, as dates do not."""
_SHOWN = 5


def missing_parts(files: Sequence[Path]) -> list[Finding]:
    """Return a warning if the numbers of files have gaps; nothing if names differ in more than one number.

    Numbers begin at 0 or 1, unless the smallest has two digits or more.
    """
    names = [re.split(r"([0-9]+)", file.name) for file in files]
    if len(names) < 2 or len({len(pieces) for pieces in names}) > 1:
        return []
    differing = [place for place in range(len(names[0])) if len({pieces[place] for pieces in names}) > 1]
    if len(differing) != 1 or differing[0] % 2 == 0:  # numbers are at odd places
        return []
    place = differing[0]
    digits = [pieces[place] for pieces in names]
    numbers = {int(one) for one in digits}
    first, last = min(numbers), max(numbers)
    span = range(1 if 1 < first < 10 else first, last + 1)
    if len(numbers) == len(span) or len(numbers) * _SPARSE < len(span):
        return []
    width = len(digits[0]) if len({len(one) for one in digits}) == 1 else 0
    before, after = "".join(names[0][:place]), "".join(names[0][place + 1 :])
    missing = [f"{before}{number:0{width}}{after}" for number in span if number not in numbers]
    listed = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
    evidence = f"parts are numbered {span[0]} to {last}, and {len(missing)} of them are not there: {listed}"
    remedy = "if they belong to the data, fetch them: the score is that of the other parts"
    return [Finding("missing-parts", Severity.WARNING, evidence, remedy)]
