"""Ask the checks about every data set and every seeded fault: one `Answer` each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.checks.dataset import DataSet, generator_of
from benchmarks.checks.faults import seeded, takers
from benchmarks.checks.row_faults import held_out
from harness.checks import run_checks
from harness.checks.models import ModelLoader
from harness.plugins.loader import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.checks.fault import Fault
    from harness.models.interface import Model
    from harness.training.check_input import Check, CheckInput

CLEAN = "nothing"
"""Name of the fault of a clean set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the checks said of one data set or card, with one fault or none."""

    subject: str
    half: str
    fault: str
    share: float
    how: str
    """`recipe`, `bare` (rows and their kind alone) or `card`."""
    findings: tuple[tuple[str, str], ...]
    """(code, severity) of each finding."""
    evidence: tuple[str, ...] = ()


def read_answers(file: Path) -> list[Answer]:
    """Return the answers of a file, one a line."""
    answers = []
    for line in file.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        findings = tuple((code, severity) for code, severity in fields.pop("findings"))
        answers.append(Answer(**{**fields, "findings": findings, "evidence": tuple(fields["evidence"])}))
    return answers


class Asker:
    """The checks of our plugins, and the base that they ask."""

    def __init__(
        self, base: Model, checks: Mapping[str, Check] | None = None, known: Iterable[Answer] = ()
    ) -> None:
        self._known = {(one.subject, one.fault, one.share, one.how): one for one in known}
        plugins = load_plugins()
        self._checks = plugins.checks() if checks is None else checks
        self._base = base
        self._folder = ModelLoader(plugins.model_schemes()).folder("minilm")

    def ask(self, dataset: DataSet, fault: str, share: float, how: str) -> Answer:
        """Return what the checks say of a data set."""
        loads: Callable[[], Model] | None = (lambda: self._base) if dataset.base == "minilm" else None
        folder: Path | None = self._folder if loads else None
        given = dataset.bare_input(loads, folder) if how == "bare" else dataset.check_input(loads, folder)
        return self.look(given, dataset.name, dataset.half, fault, share, how)

    def look(
        self,
        given: CheckInput,
        subject: str,
        half: str,
        fault: str,
        share: float,
        how: str,
    ) -> Answer:
        """Return what the checks say of an input. Raises RuntimeError if a check could not finish."""
        if (subject, fault, share, how) in self._known:
            return self._known[subject, fault, share, how]
        report = run_checks(given, self._checks)
        if report.problems:
            raise RuntimeError(f"{subject}, {fault} in {share:.0%}: {'; '.join(report.problems)}")
        kept = [finding for finding, _ in report.findings]
        return Answer(
            subject=subject,
            half=half,
            fault=fault,
            share=share,
            how=how,
            findings=tuple((finding.code, str(finding.severity)) for finding in kept),
            evidence=tuple(finding.evidence for finding in kept),
        )


def ask_clean(asker: Asker, datasets: Sequence[DataSet]) -> Iterator[Answer]:
    """Yield the answers to clean sets: with their recipe, without it, and with a fifth held out as a test."""
    for dataset in datasets:
        for how in ("recipe", "bare"):
            yield asker.ask(dataset, CLEAN, 0.0, how)
        split = held_out(dataset, generator_of(dataset.name, CLEAN))
        if split is not None:
            yield asker.ask(split[0], CLEAN, 0.0, "test")


def ask_faults(asker: Asker, datasets: Sequence[DataSet], faults: Sequence[Fault]) -> Iterator[Answer]:
    """Yield the answers to data sets with a fault in each of its shares; some also without a recipe."""
    for fault in faults:
        for dataset in takers(fault, datasets):
            for share, wrong in seeded(dataset, fault):
                yield asker.ask(wrong, fault.name, share, "recipe")
                if fault.bare and share == max(fault.shares):
                    yield asker.ask(wrong, fault.name, share, "bare")
