"""Rules of the kit: what each wants, in which order they are tried, and the error that names broken ones."""

from __future__ import annotations

import sysconfig
import traceback
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.plugins.validate import answer_error
from harness.system.plugin_code import error_sentence, plugin_code, raised_by
from harness.testing.network import no_network
from harness.testing.output import noted_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Stages = Sequence[Sequence["Rule"]]
    """Rules in stages: those of a stage are tried where all before them are kept, in any order."""


class Failure(NamedTuple):
    """A rule that a plugin breaks."""

    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the kit."""

    name: str
    wants: str
    """What it wants, in one line."""
    find: Callable[[Any], Iterator[str]]
    """Yields a sentence for what breaks it: what was seen, with names and figures, and what is wanted."""


def attribute_faults(answer: Any, kind: type[Any]) -> Iterator[str]:  # noqa: ANN401 - a plugin may give anything
    """Yield why an answer to a hook of checks or trainers cannot be used, or is not described."""
    if problem := answer_error(answer, kind):
        yield f"it is {problem}"
    elif not answer.help.strip() or "\n" in answer.help:
        yield f"its help is {answer.help!r}, not one line that says what it does"


def find_failures(stages: Stages, trial: Any) -> list[Failure]:  # noqa: ANN401 - each kind has its own
    """Return one failure for each rule that is broken, of the first stage that has any.

    Whatever the plugin raises is a failure of the rule that was tried. The network is out of reach; an
    attempt to reach it is a failure of the rule `network`, a stream that it closes one of `streams`, and a
    text of its rows in what it prints one of `prints`: `trial.private` are these texts.
    """
    for stage in stages:
        found: list[Failure] = []
        with no_network(raises=False) as attempts, noted_output() as output:
            for rule in stage:
                found += [Failure(rule.name, sentence) for sentence in _first(rule, trial)]
        if attempts:
            # What was refused may have broken any other rule.
            return [Failure("network", f"it wants to reach {', '.join(dict.fromkeys(attempts))}: {_HERE}")]
        if output.closed:
            return [Failure("streams", f"it closes {', '.join(output.closed)}: {_OTHERS}")]
        if output.parts and (text := output.quoted(_private(trial))):
            found.append(Failure("prints", f"it prints {text[:40]!r}, a text of its rows: {_NO_TEXTS}"))
        if found:
            return found
    return []


def _private(trial: Any) -> Sequence[str]:  # noqa: ANN401 - each kind has its own
    """Return the texts that a plugin gets; none where they cannot be read, which another rule says."""
    try:
        return list(trial.private)
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return []


_OTHERS = "other code prints there, too; leave the streams open, and redirect them for your own code alone"
_NO_TEXTS = "they are the user's, and --no-texts keeps them out of logs; print ids, row numbers or counts"
_HERE = "a test reaches this machine only; start a server of your own at 127.0.0.1, or use what is on disk"
_IN_ALL_STAGES = {
    "network": "reaches no other machine",
    "streams": "leaves the standard streams open",
    "prints": "prints no text of its rows",
}
"""The rules that hold in all stages, with what each wants."""


def wanted(stages: Stages) -> Mapping[str, str]:
    """Return the names of all rules with what each wants, in one line."""
    return {rule.name: rule.wants for stage in stages for rule in stage} | _IN_ALL_STAGES


def raise_failures(what: str, failures: Sequence[str]) -> None:
    """Raise one AssertionError with a line for each failure; return where there is none."""
    if failures:
        lines = "".join(f"\n- {failure}" for failure in failures)
        raise AssertionError(f"{what} does not do what docs/plugins/testing.md says:{lines}")


def _first(rule: Rule, trial: Any) -> list[str]:  # noqa: ANN401 - each kind has its own
    """Return the first sentence for what breaks a rule, in a list; an empty list where it is kept."""
    try:
        with plugin_code():
            return list(islice(rule.find(trial), 1))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        raised = raised_by(error)
        return [f"it raises {error_sentence(raised)}{_where(raised)}"]


def _where(error: BaseException) -> str:
    """Return where the plugin was when an exception was raised: ` (topics.py, line 12)`."""
    libraries = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.is_file() and not any(map(file.is_relative_to, [Path(__file__).parents[1], *libraries])):
            return f" ({file.name}, line {frame.lineno})"
    return ""
