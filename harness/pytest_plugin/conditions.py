"""What the marker `harness` wants of the model under test, and whether it holds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.api.results import Results

_UNDECIDED = 4
"""Exit code of a comparison whose gate neither passes nor fails."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The arguments of a marker."""

    tasks: Any
    """Names, tags, tasks: as `harness.evaluate` takes them."""
    margin: float | None = None
    """The loss that is accepted on every headline metric."""
    baseline: str | os.PathLike[str] | None = None
    """A model, or a results folder; the configured one when None."""
    minimum: Mapping[str, float] | None = None
    """Task → least headline score."""
    model: Any = None
    """The model under test; the configured one when None."""
    data: str | os.PathLike[str] | None = None
    limit: int | None = None
    undecided: str = "fail"
    """`fail`, as `harness compare` does, or `skip`: what becomes of a test whose gate is undecided."""

    @classmethod
    def of(cls, *given: Any, **named: Any) -> Conditions:  # noqa: ANN401 - whatever a test says
        """Return the conditions; raises HarnessError for arguments that do not exist."""
        known = [each.name for each in fields(cls)]
        for name in named:
            if name not in known:
                raise HarnessError.unknown("argument of the marker harness", name, known)
        try:
            made = cls(*given, **named)
        except TypeError as error:
            raise HarnessError(
                f"the marker harness: {error}", hint='@pytest.mark.harness(tasks="stsb", margin=0.01)'
            ) from error
        if made.undecided not in ("fail", "skip"):
            raise HarnessError(f"undecided must be 'fail' or 'skip', not {made.undecided!r}")
        return made


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether conditions hold, in words."""

    failures: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


@dataclass
class MarkedTests:
    """Evaluates what the markers of a session ask for, each model and task once."""

    folder: Path
    """Where results are kept for the session."""
    settings: Mapping[str, str]
    """The configured model, baseline and data; empty texts for none."""
    _known: dict[str, Results] = field(default_factory=dict)

    def results(self, *given: Any, **named: Any) -> Results:  # noqa: ANN401 - arguments of a marker
        """Return the results of the model under test; raises HarnessError for what failed."""
        conditions = Conditions.of(*given, **named)
        named_one = conditions.model is None
        model = self._setting("model", "--harness-model NAME") if named_one else conditions.model
        return self._evaluate("model", model, conditions)

    def verdict(self, *given: Any, **named: Any) -> Verdict:  # noqa: ANN401 - as above
        """Return whether the model under test keeps to the conditions."""
        conditions = Conditions.of(*given, **named)
        results = self.results(*given, **named)
        failures = _below(results, conditions.minimum or {})
        if conditions.margin is None:
            if conditions.baseline is not None:
                raise HarnessError(
                    "the marker harness has a baseline, but no margin", hint="margin=0.01: what may be lost"
                )
            return Verdict(tuple(failures))
        from harness.api.comparison import compare

        baseline = self._baseline(conditions)
        names = sorted({record.examination.task for record in results.records})
        compared = compare(baseline, results, margin=conditions.margin, tasks=names)
        sentences = (*compared.sentences, *compared.warnings)
        if compared.passed:
            return Verdict(tuple(failures))
        if compared.exit_code == _UNDECIDED and conditions.undecided == "skip":
            return Verdict(tuple(failures), sentences)
        return Verdict((*failures, *sentences))

    def _baseline(self, conditions: Conditions) -> Results | str:
        """Return the results of the baseline, or the folder that has them."""
        baseline = conditions.baseline or self._setting("baseline", "baseline= in the marker")
        path = os.fspath(baseline)
        if os.path.isdir(os.path.join(path, "records")):  # noqa: PTH112, PTH118 - a model may be no path
            return path
        return self._evaluate("baseline", path, conditions)

    def _setting(self, name: str, how: str) -> str:
        if value := self.settings[name]:
            return value
        raise HarnessError(f"no {name} to test", hint=f"{how}, or harness_{name} in the ini-file")

    def _evaluate(self, role: str, model: Any, conditions: Conditions) -> Results:  # noqa: ANN401 - any model
        from harness.api.evaluate import evaluate

        data = conditions.data or self.settings["data"] or None
        key = repr((role, _identity(model), _identity(conditions.tasks), data, conditions.limit))
        if key not in self._known:
            # A folder of its own: a comparison reads all models of a folder.
            folder = self.folder / f"{role}-{len(self._known)}"
            self._known[key] = evaluate(
                model,
                conditions.tasks,
                data=data,
                limit=conditions.limit,
                out=folder,
                progress=False,
            )
        return self._known[key]


def _identity(value: Any) -> str | int | list[Any]:  # noqa: ANN401 - a model or tasks
    """Return what tells a value apart: the text of a name, else the object; markers keep theirs alive."""
    if isinstance(value, str | os.PathLike):
        return os.fspath(value)
    return [_identity(each) for each in value] if isinstance(value, list | tuple) else id(value)


def _below(results: Results, minimum: Mapping[str, float]) -> list[str]:
    """Return a sentence for each headline score that is below its minimum, or that there is none of."""
    found = []
    for task, least in minimum.items():
        of_task = [result for (_, key), result in results.items() if task in (key, result.task)]
        if not of_task:
            known: Sequence[str] = results.tasks
            raise HarnessError.unknown("task with a minimum", task, known)
        for result in of_task:
            score = result.headline
            if score.score is None or score.score < least:
                value = "undefined" if score.score is None else f"{score.score:.4f}"
                found.append(f"{result.model} has {score.metric} {value} on {task}: the minimum is {least:g}")
    return found
