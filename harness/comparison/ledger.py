"""A ledger of comparisons: how many candidates have been judged on the very same examples.

One line of JSON for each candidate and task of a command. It names models by name and fingerprint and rows by
their digest: neither a path nor a text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import secrets
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from harness.comparison.looks import chance_of_one, looks_sentence
from harness.comparison.result import Looks
from harness.comparison.words import Verdict  # noqa: TC001 - msgspec reads it
from harness.errors import HarnessError
from harness.stats.curve import LEVEL
from harness.system.append import SharedFile, shared_file
from harness.system.environment import version
from harness.system.limits import DATA
from harness.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.comparison.result import Comparison, MetricComparison
    from harness.comparison.sources import ModelResults

VERSION = 1
"""Version of the lines; raise it when a field changes its meaning."""

_START = b'{"ledger":'
"""What every line begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedLine:
    """The verdict on one metric."""

    metric: str
    gain: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One candidate that was judged on the examples of one task: a line of the ledger."""

    ledger: int = VERSION
    when: str
    """UTC, ISO 8601."""
    command: str
    """Random name of the command, whose candidates were corrected together."""
    harness: str
    """Its version."""
    task: str
    data: str
    limit: int | None
    digest: str
    """Hash of the rows that were scored."""
    models: tuple[str, str]
    """Names of baseline and candidate."""
    baseline: str
    """Its fingerprint."""
    candidate: str
    """Its fingerprint; of several training seeds, one of all of theirs."""
    lines: tuple[NotedLine, ...]
    gated: bool
    exit_code: int
    """Of the whole comparison: 0 passes, 1 fails, 2 broken, 3 not comparable, 4 undecided."""
    level: float = 0.95
    """Confidence level of intervals and gate: higher where they were corrected for several candidates."""


@dataclass
class Ledger:
    """What a ledger says."""

    notes: list[Note] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """One sentence for each line that cannot be read, and is not counted."""

    def candidates(self, digest: str) -> set[str]:
        """Return the fingerprints of all candidates that were judged on the examples of a digest."""
        return _candidates(self.notes).get(digest, set())


class _Command(NamedTuple):
    when: str
    name: str
    harness: str


def check_ledger(path: Path) -> None:
    """Raise HarnessError for a file that cannot be read or is not a ledger, and for one in no folder."""
    _read(path)
    if not path.parent.exists():
        raise HarnessError(
            f"no folder {path.parent} for the ledger {path.name}",
            hint="make the folder first: a mistyped path would begin a new ledger, and count no earlier look",
        )


def read_ledger(path: Path) -> Ledger:
    """Return what a ledger says; it is empty if there is no file.

    Raises HarnessError for a file that cannot be read, or is not a ledger.
    """
    return _parse(_read(path), path)


def _read(path: Path) -> bytes:
    try:
        with shared_file(path) as file:
            return _content(file, path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise HarnessError(f"cannot read the ledger {path}: {error.strerror}") from error


def note_looks(
    path: Path,
    comparisons: Sequence[Comparison],
    pairs: Sequence[tuple[ModelResults, Sequence[ModelResults]]],
) -> tuple[list[Comparison], list[str], bool]:
    """Note the comparisons of one command in a ledger, and count the looks at their examples.

    pairs: the models of each comparison. Returns the comparisons with their looks; problems, a sentence each;
    and whether all was noted. Where it cannot be, the looks still count this command.
    Raises HarnessError for a file that cannot be read, or is not a ledger.
    """
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    command = _Command(when=now, name=secrets.token_hex(8), harness=version())
    notes = [
        list(_notes(comparison, _fingerprint(models), command))
        for comparison, (_, models) in zip(comparisons, pairs, strict=True)
    ]
    whole, failure = list(itertools.chain(*notes)), []
    try:
        with shared_file(path, append=True) as file:
            ledger = _parse(_content(file, path), path)
            file.append(b"".join(msgspec.json.encode(note) + b"\n" for note in whole))
    except OSError as error:
        ledger = read_ledger(path)
        failure = [f"not noted in the ledger {path}, and not counted later: {error.strerror}"]
    every = [*ledger.notes, *whole]
    counted = [
        _with_looks(comparison, [_looks(note, whole, every) for note in own])
        for comparison, own in zip(comparisons, notes, strict=True)
    ]
    return counted, [*ledger.problems, *failure], not failure


def _content(file: SharedFile, path: Path) -> bytes:
    """Return the content of a ledger; raises HarnessError for anything else, and for more than the limit."""
    content = file.content()
    DATA.check(len(content), path)
    start = content[: len(_START)]
    if start != _START[: len(start)]:
        raise HarnessError(
            f"{path} is not a ledger", hint="--ledger takes a new file, or one that `harness compare` wrote"
        )
    return content


def _parse(content: bytes, path: Path) -> Ledger:
    ledger, decoder = Ledger(), msgspec.json.Decoder(Note)
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line:
            continue
        try:
            note = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            ledger.problems.append(f"line {number} of the ledger {path} is not whole, and is not counted")
            continue
        if note.ledger > VERSION:
            raise HarnessError(
                f"the ledger {path} is of a newer harness: {note.harness}", hint="update harness"
            )
        ledger.notes.append(note)
    return ledger


def _notes(comparison: Comparison, candidate: str, command: _Command) -> Iterator[Note]:
    """Yield a note for each task of which the candidate has a score. candidate: its fingerprint."""
    seen = [line for line in comparison.lines if line.candidate is not None and line.digest]
    for (task, data, limit, digest), lines in itertools.groupby(seen, key=_examples):
        yield Note(
            when=command.when,
            command=command.name,
            harness=command.harness,
            task=task,
            data=data,
            limit=limit,
            digest=digest,
            models=(redact(comparison.baseline.name), redact(comparison.candidate.name)),
            baseline=comparison.baseline.fingerprint,
            candidate=candidate,
            lines=tuple(
                NotedLine(**{column.name: getattr(line, column.name) for column in fields(NotedLine)})
                for line in lines
            ),
            gated=comparison.gated,
            exit_code=comparison.exit_code,
            level=comparison.level,
        )


def _examples(line: MetricComparison) -> tuple[str, str, int | None, str]:
    return line.task, line.data, line.limit, line.digest


def _fingerprint(models: Sequence[ModelResults]) -> str:
    """Return the fingerprint of a candidate; of several training seeds, a hash of theirs in any order."""
    own = sorted(model.fingerprint for model in models)
    return own[0] if len(own) == 1 else hashlib.sha256("\n".join(own).encode()).hexdigest()


def _candidates(notes: Sequence[Note]) -> dict[str, set[str]]:
    """Return the candidates that were judged on the examples of each digest, by their fingerprints.

    The same candidate again is no new look, and a model against itself is none.
    """
    judged: dict[str, set[str]] = {}
    for note in notes:
        if note.candidate != note.baseline:
            judged.setdefault(note.digest, set()).add(note.candidate)
    return judged


def _with_looks(comparison: Comparison, looks: Sequence[Looks]) -> Comparison:
    """Add the looks at the examples of a comparison, and what they weaken to its sentence."""
    counted = replace(comparison, looks=tuple(looks))
    sentence = " ".join(filter(None, [comparison.sentence, looks_sentence(counted)]))
    return replace(counted, sentence=sentence)


def _looks(note: Note, now: Sequence[Note], every: Sequence[Note]) -> Looks:
    """Count the looks at the examples of a note. now: notes of this command; every: those before too."""
    judged = _candidates(every).get(note.digest, set())
    here = _candidates(now).get(note.digest, set())
    same = [each for each in every if each.digest == note.digest and each.candidate != each.baseline]
    return Looks(
        task=note.task,
        data=note.data,
        limit=note.limit,
        digest=note.digest,
        candidates=len(judged),
        others=len(judged - here),
        false_better=chance_of_one(independent_looks(_commands(same))),
        lucky_pass=chance_of_one(independent_looks(_commands(same, of_gates=True))),
    )


def _commands(notes: Sequence[Note], *, of_gates: bool = False) -> list[set[str]]:
    """Return the candidates of each command, which were corrected together, in the order of commands.

    of_gates: each candidate apart, unless its gate was corrected for the others too.
    """
    commands: dict[tuple[str, str], set[str]] = {}
    for note in notes:
        apart = note.candidate if of_gates and note.level <= 1 - LEVEL else ""
        commands.setdefault((note.command, apart), set()).add(note.candidate)
    return list(commands.values())


def independent_looks(commands: Sequence[set[str]]) -> int:
    """Return how many independent looks bound those of a series of commands; it never falls.

    commands: the candidates of each. Candidates that were first judged together, and corrected together, are
    one look; unless a later command judges some of them without the others, which their scores may have
    chosen: then each of them is one.
    """
    families: list[set[str]] = []
    apart: list[bool] = []
    known: set[str] = set()
    for candidates in commands:
        for position, family in enumerate(families):
            apart[position] |= bool(candidates & family) and not family <= candidates
        if new := candidates - known:
            families.append(new)
            apart.append(False)
            known |= new
    return sum(len(family) if split else 1 for family, split in zip(families, apart, strict=True))
