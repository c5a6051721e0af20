"""Errors that a user can cause and correct; all other exceptions are bugs.

HarnessError
├─ MissingDataError
└─ FaultsError

Several of them, to be shown at once, are collected in `Faults`.
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Made = TypeVar("Made")

MOST_LISTED = 60
"""Maximum number of names that an error lists; of more, it gives the number and the nearest names."""
LONGEST = 2_000
"""Maximum length in characters of a line of an error; of a longer one, it shows both ends."""

_ALIKE = 0.6
"""Minimum similarity of a name to one that is suggested for it, in [0, 1]: difflib's ratio."""
_FARTHER = 0.15
"""Maximum difference of that similarity between the nearest name and another that is suggested beside it."""

LONGEST_TEXT = 10_000
"""Maximum number of characters of the text of an error of a plugin; of a longer one, both ends are kept."""


class HarnessError(Exception):
    """An error that a user can correct: what happened, what exists, what to do.

    The command line catches it once, prints it and exits with 2. Any other exception is a bug of
    ours (or of a plugin) and keeps its traceback.
    """

    def __init__(
        self,
        message: str,
        *,
        exists: str | None = None,
        hint: str | None = None,
        without_texts: str | None = None,
    ) -> None:
        """without_texts: the message of a run with `--no-texts`; None where `message` may quote a text."""
        super().__init__(message)
        self.without_texts = without_texts
        self.message = _without_middle(message)
        self.exists = exists and _without_middle(exists)
        self.hint = hint and _without_middle(hint)

    def __str__(self) -> str:
        lines = [self.message]
        if self.exists:
            lines += [f"  {line}" for line in self.exists.splitlines()]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    @classmethod
    def unknown(cls, what: str, name: str, known: Iterable[str], *, hint: str | None = None) -> HarnessError:
        """Return the error for an unknown name, with the nearest names, and with all if they are few.

        what: noun of the thing that has the name, such as `task`.
        """
        names = sorted(known)
        exists = [*did_you_mean(name, names), f"known: {_listed(names)}"]
        return cls(f"no {what} named {name!r}", exists="\n".join(exists), hint=hint)


class MissingDataError(HarnessError):
    """The data source does not have what a task or a recipe needs.

    Caught where it is not an error: a task selected by tag is skipped if the sample has no data for it.
    It names files and folders, and never quotes a text.
    """

    def __init__(self, message: str, *, exists: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, exists=exists, hint=hint, without_texts=message)


class FaultsError(HarnessError):
    """Several errors, shown as one: see `Faults`."""

    def __init__(self, where: str, parts: Sequence[HarnessError], *, hint: str | None = None) -> None:
        """where: what they are found in, such as a file; may be empty."""
        subject = f"{where}: " if where else ""
        super().__init__(
            f"{subject}{len(parts)} things are wrong",
            exists="\n".join(str(part).removeprefix(subject) for part in parts),
            hint=hint,
        )
        self.where, self.parts = where, tuple(parts)


class Faults:
    """Errors of a user's that are collected, so that one error can show them all."""

    def __init__(self) -> None:
        self.found: list[HarnessError] = []

    @contextmanager
    def collect(self, subject: str = "") -> Iterator[None]:
        """Keep the HarnessError of the body, and go on. subject: as for `add`."""
        try:
            yield
        except HarnessError as error:
            self.add(error, subject)

    def attempt(self, make: Callable[[], Made]) -> Made | None:
        """Return what `make` returns; None where it raises HarnessError, which is kept."""
        try:
            return make()
        except HarnessError as error:
            self.add(error)
            return None

    def add(self, error: HarnessError, subject: str = "") -> None:
        """Keep an error, or the parts of several; what was kept already counts once.

        subject: what the error concerns, put before its message where that does not begin with it.
        """
        if isinstance(error, FaultsError):
            for part in error.parts:
                self.add(part, error.where or subject)
        elif not subject or error.message.startswith(subject):
            self._keep(error)
        else:
            self._keep(HarnessError(f"{subject}: {error.message}", exists=error.exists, hint=error.hint))

    def _keep(self, error: HarnessError) -> None:
        if str(error) not in map(str, self.found):
            self.found.append(error)

    def refuse(self, where: str = "", *, hint: str | None = None) -> None:
        """Raise what was collected: one error as it is, several as one; nothing where there is none.

        where: as for `FaultsError`. hint: what can be done besides mending them.
        """
        if len(self.found) > 1:
            raise FaultsError(where, self.found, hint=hint)
        for only in self.found:
            raise _with_hint(only, hint) if hint else only


def _with_hint(error: HarnessError, hint: str) -> HarnessError:
    """Return an error with a further hint."""
    hints = [*([error.hint] if error.hint else []), hint]
    return HarnessError(error.message, exists=error.exists, hint="\n  hint: ".join(hints))


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names that a misspelled name may be meant for, the nearest first; at most so many.

    Capitals do not count; nor names that are much farther than the nearest. The one place that says what is
    alike.
    """
    names: dict[str, str] = {}
    for one in known:
        names.setdefault(one.casefold(), one)
    wanted = name.casefold()
    alike = difflib.get_close_matches(wanted, names, n=most, cutoff=_ALIKE)
    ratios = [difflib.SequenceMatcher(None, one, wanted).ratio() for one in alike]
    return [names[one] for one, ratio in zip(alike, ratios, strict=True) if ratio >= ratios[0] - _FARTHER]


def did_you_mean(name: str, known: Iterable[str]) -> list[str]:
    """Return the line that suggests the nearest names; none where none is near, or the name is known."""
    names = [one for one in nearest(name, known) if one != name]
    return [f"did you mean: {', '.join(names)}"] if names else []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none" if len(names) <= MOST_LISTED else f"{len(names)} names"


def shortened(text: str, most: int = LONGEST_TEXT) -> str:
    """Return both ends of a text of more characters than `most`, and how long it was; any other as it is."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} … [{len(text):,} characters in all] … {text[-half:]}"


def _without_middle(text: str) -> str:
    """Cut the middle out of lines that are longer than `LONGEST`: they quote the content of a file."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return "\n".join(
        line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}" for line in text.split("\n")
    )
