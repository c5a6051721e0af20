"""Read ContractNLI's release JSON; errors name the file and the contract.

Source: Koreeda and Manning (2021), "ContractNLI: A Dataset for Document-level Natural Language Inference
for Contracts"; https://stanfordnlp.github.io/contract-nli/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from harness import HarnessError
from harness.authoring import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Kind = TypeVar("Kind")

ENTAILMENT, CONTRADICTION, NOT_MENTIONED = CHOICES = ("Entailment", "Contradiction", "NotMentioned")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A contract's annotation for one hypothesis."""

    hypothesis: str
    """Its id, such as `nda-11`."""
    choice: str
    """One of CHOICES."""
    evidence: tuple[int, ...]
    """Positions of the spans that show it; empty for NotMentioned."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A document, divided into spans."""

    id: str
    spans: tuple[str, ...]
    annotations: tuple[Annotation, ...]

    def evidence(self, annotation: Annotation) -> str:
        """Return the annotation's spans, joined by newlines."""
        return "\n".join(self.spans[position] for position in annotation.evidence)

    def non_blank(self) -> list[int]:
        """Return the positions of the spans that are not only white space."""
        return [position for position, span in enumerate(self.spans) if span.strip()]


@dataclass(frozen=True, slots=True)
class Release:
    """A file of the release: a split."""

    path: Path
    hypotheses: Mapping[str, str]
    """Id → text."""
    contracts: tuple[Contract, ...]


def read_release(path: Path) -> Release:
    """Read a split in the release's JSON format.

    Raises HarnessError, with the file and the contract, for another format, an unknown choice, a span out
    of range, an annotation without a hypothesis, no contracts, or two contracts of one id.
    """
    content = read_json(path)
    described = _field(content, "labels", dict, str(path))
    hypotheses = {
        name: _field(about, "hypothesis", str, f"{path}: hypothesis {name}")
        for name, about in described.items()
    }
    documents = _field(content, "documents", list, str(path))
    contracts = tuple(_contract(document, hypotheses, f"{path}: contract") for document in documents)
    if not contracts:
        raise HarnessError(f"empty dataset: {path} has no contracts")
    _check_once([(contract.id, path) for contract in contracts])
    return Release(path, hypotheses, contracts)


def check_disjoint(releases: Iterable[Release]) -> None:
    """Raise HarnessError for a contract in two splits, which would leak test data into the fit."""
    _check_once([(contract.id, release.path) for release in releases for contract in release.contracts])


def _contract(document: Any, hypotheses: Mapping[str, str], where: str) -> Contract:  # noqa: ANN401 - JSON
    name = _field(document, "id", (int, str), where)
    where = f"{where} {name}"
    text = _field(document, "text", str, where)
    spans = tuple(
        _span(text, span, position, where) for position, span in _numbered(document, "spans", where)
    )
    sets = _field(document, "annotation_sets", list, where)
    if len(sets) != 1:
        raise HarnessError(
            f"{where} has {len(sets)} annotation sets", hint="exactly one is needed, as in the release"
        )
    annotations = _field(sets[0], "annotations", dict, where)
    answers = [
        _annotation(name, about, len(spans), f"{where}, {name}") for name, about in annotations.items()
    ]
    missing = [answer.hypothesis for answer in answers if not hypotheses.get(answer.hypothesis, "").strip()]
    if missing:
        raise HarnessError(
            f"{where} answers {missing[0]!r}, a hypothesis that has no text in `labels`",
            exists=f"hypotheses: {', '.join(hypotheses) or 'none'}",
        )
    return Contract(str(name), spans, tuple(answers))


def _span(text: str, span: Any, position: int, where: str) -> str:  # noqa: ANN401 - JSON
    if not (isinstance(span, list) and len(span) == 2 and all(isinstance(end, int) for end in span)):
        raise _other_format(f"{where}: span {position} is not [start, end)")
    start, end = span
    if not 0 <= start <= end <= len(text):
        raise HarnessError(
            f"{where}: span {position} is [{start}, {end}), the text has {len(text)} characters"
        )
    return text[start:end]


def _annotation(name: str, about: Any, spans: int, where: str) -> Annotation:  # noqa: ANN401 - JSON
    choice = _field(about, "choice", str, where)
    if choice not in CHOICES:
        raise HarnessError(f"{where}: unknown choice {choice!r}", exists=f"known: {', '.join(CHOICES)}")
    evidence = [position for _, position in _numbered(about, "spans", where)]
    if not all(isinstance(position, int) for position in evidence):
        raise _other_format(f"{where}: spans are not numbers")
    outside = [position for position in evidence if not 0 <= position < spans]
    if outside:
        raise HarnessError(
            f"{where}: evidence span {outside[0]} is out of range: the contract has {spans} spans"
        )
    return Annotation(name, choice, tuple(evidence))


def _numbered(record: Any, name: str, where: str) -> Iterable[tuple[int, Any]]:  # noqa: ANN401 - JSON
    return enumerate(_field(record, name, list, where))


def _field(record: Any, name: str, kind: type[Kind] | tuple[type[Kind], ...], where: str) -> Kind:  # noqa: ANN401
    """Return a field of the right type from a JSON object."""
    if not isinstance(record, dict):
        raise _other_format(f"{where}: {str(record)[:40]!r} is not an object with {name!r}")
    value = record.get(name)
    if not isinstance(value, kind):
        raise _other_format(
            f"{where}: no {name!r}" if value is None else f"{where}: {name!r} is {str(value)[:40]!r}"
        )
    return value


def _other_format(message: str) -> HarnessError:
    return HarnessError(
        f"not ContractNLI's format: {message}",
        hint="needed: {documents: [{id, text, spans, annotation_sets}], labels: {ID: {hypothesis}}}",
    )


def _check_once(named: list[tuple[str, Path]]) -> None:
    seen: dict[str, Path] = {}
    for name, path in named:
        if name in seen:
            where = f"twice in {path}" if seen[name] == path else f"in {seen[name]} and in {path}"
            raise HarnessError(
                f"contract {name} occurs {where}", hint="each contract must occur once, in one split"
            )
        seen[name] = path
