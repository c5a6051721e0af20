"""How long to wait before a request is sent again."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTEMPTS = 6
"""Maximum number of times that a request is sent."""
_FIRST = 0.5
"""Seconds before a request is sent for the second time; each further wait is twice as long."""
_LONGEST = 60.0
"""Maximum seconds of a wait, also of one that the server asks for."""


def seconds_to_wait(attempt: int, asked: float | None, chance: float) -> float:
    """Return the seconds to wait after an attempt, counted from 1.

    asked: what the server asks for, which is kept up to a limit; None where it asks for nothing.
    chance: in [0, 1); spreads requests that failed together: up to half of a wait of our own is left out, and
    up to a tenth is added to what the server asks for.
    """
    if asked is not None:
        return float(min(asked, _LONGEST) * (1 + chance / 10))
    return float(min(_FIRST * 2 ** (attempt - 1), _LONGEST) * (1 - chance / 2))


def asked_wait(headers: Mapping[str, str], now: dt.datetime | None = None) -> float | None:
    """Return the seconds of `Retry-After`, a number or a date; None without one that makes sense.

    A date is held against the server's own clock, which its answer's `Date` has; else against `now`.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    until, here = _date(text), _date(headers.get("date", ""))
    if until is None:
        return None
    return max(0.0, (until - (here or now or dt.datetime.now(dt.UTC))).total_seconds())


def _date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the second for years and zones of many digits
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
