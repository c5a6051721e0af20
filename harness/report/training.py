"""How candidates were trained: curves, lineage and findings of their checks."""

from __future__ import annotations

import os
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from harness.errors import HarnessError
from harness.models.fingerprint import fingerprint_model, fingerprint_with_settings
from harness.models.interface import Settings
from harness.models.locate import locate_model
from harness.plugins.builtin import harness_model_schemes
from harness.report.numbers import rounded
from harness.training.lineage import NAME, Lineage, read_lineage
from harness.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.evaluation.journal import JournalEntry, RequestedModel
    from harness.training.lineage import LoggedLoss

_MOST_POINTS = 400
"""Maximum number of losses of a curve; scores are all kept."""
_SHOWN_APART = frozenset({"name", "about", "base", "revision", "loss.name"})
"""Settings of a recipe that are fields of their own, or no settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A line of a training's log."""

    step: int
    epoch: float
    loss: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """The training of a candidate whose folder was at hand."""

    model: str
    """Display name."""
    base: str
    """Display name of what it was trained from."""
    loss: str
    """Name of the loss function."""
    data: str
    rows: int
    steps: int
    best_step: int | None
    """The step that was kept; None for the last."""
    seed: int
    seconds: float
    recipe: dict[str, str] = field(default_factory=dict)
    """Settings that are not the default, by name, as text."""
    lineage: tuple[str, ...] = ()
    """Display names from the first base to the candidate."""
    findings: tuple[str, ...] = ()
    """Codes of findings that were allowed."""
    curve: tuple[CurvePoint, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateFolders:
    """Folders of candidates that runs named, and that still hold the models that were evaluated."""

    of_records: Mapping[str, Path]
    """Fingerprint of a record → folder."""
    of_models: Mapping[str, Path]
    """Fingerprint of the model with default settings, as a lineage names a base → folder."""
    starts: tuple[Path, ...] = ()
    """Folders in which runs were started: a recipe may name its base relative to one."""

    def of_base(self, lineage: Lineage) -> Path | None:
        """Return the folder of a candidate's base, if that is a candidate and at hand."""
        wanted = lineage.base_fingerprint
        if wanted in self.of_models:
            return self.of_models[wanted]
        named = lineage.recipe.get("base")
        for start in self.starts if isinstance(named, str) else ():
            folder = Path(start, os.path.expanduser(str(named)))  # noqa: PTH111
            if os.path.isfile(folder / NAME) and _fingerprint(folder) == wanted:  # noqa: PTH113
                return folder
        return None


def candidate_folders(entries: Iterable[JournalEntry], problems: list[str]) -> CandidateFolders:
    """Return the folders with a lineage that the journals of runs name.

    A folder that is gone is not among them. problems: gets a sentence for one that cannot be read, or holds
    another model than the one that was evaluated.
    """
    entries = list(entries)
    of_records: dict[str, Path] = {}
    of_models: dict[str, Path] = {}
    schemes = {scheme.name: scheme for scheme in harness_model_schemes()}
    for model, folder in _folders(entries):
        if model.fingerprint in of_records:
            continue
        spec = replace(model.spec, location=str(folder))
        try:
            found = locate_model(spec, schemes).fingerprint
            of_models[_fingerprint(folder)] = folder
        except (HarnessError, OSError) as error:
            problems.append(f"how {model.name} was trained is not shown: {_reason(error)}")
            continue
        if found == model.fingerprint:
            of_records[model.fingerprint] = folder
        else:
            problems.append(
                f"how {model.name} was trained is not shown: its folder holds another model by now"
            )
    starts = dict.fromkeys(Path(entry.plan.folder).absolute() for entry in entries if entry.plan)
    return CandidateFolders(of_records, of_models, tuple(starts))


def training_of(
    model: str, fingerprint: str, folders: CandidateFolders, names: Mapping[str, str], problems: list[str]
) -> TrainingReport | None:
    """Return how a candidate was trained; None for a model whose folder is not at hand, or was not trained.

    model, fingerprint: display name, and that of its records. names: fingerprint → display name of the models
    of the report, for the lineage. problems: gets a sentence for a lineage that cannot be read.
    """
    folder = folders.of_records.get(fingerprint)
    try:
        lineage = None if folder is None else read_lineage(folder)
        if lineage is None:
            return None
        line = [*_bases(lineage, folders, names), model]
    except (HarnessError, OSError) as error:
        problems.append(f"how {model} was trained is not shown: {_reason(error)}")
        return None
    recipe = dict(_changed_settings(lineage.recipe))
    return TrainingReport(
        model=model,
        base=line[-2],
        loss=str(dict(_flat(lineage.recipe)).get("loss.name", "")),
        data=lineage.data,
        rows=lineage.rows,
        steps=lineage.steps,
        best_step=lineage.best_step,
        seed=lineage.seed,
        seconds=lineage.seconds,
        recipe=recipe,
        lineage=tuple(line),
        findings=lineage.findings,
        curve=_curve(lineage.log),
    )


def _fingerprint(folder: Path) -> str:
    """Return the fingerprint of a folder's model with default settings."""
    return fingerprint_with_settings(fingerprint_model(folder), Settings())


def _folders(entries: Iterable[JournalEntry]) -> Iterator[tuple[RequestedModel, Path]]:
    """Yield the models of runs whose folder has a lineage; a path is relative to the folder of its run."""
    for entry in entries:
        for model in entry.plan.models if entry.plan else ():
            if entry.plan and model.spec.scheme == "folder":
                # As a shell reads it; Path.expanduser raises where there is no such user.
                folder = Path(entry.plan.folder, os.path.expanduser(model.spec.location))  # noqa: PTH111
                if os.path.isfile(folder / NAME):  # noqa: PTH113 - False without permission
                    yield model, folder.absolute()


def _bases(lineage: Lineage, folders: CandidateFolders, names: Mapping[str, str]) -> list[str]:
    """Return the display names of the bases, from the first to that of a lineage; a cycle ends."""
    line: list[str] = []
    seen: set[str] = set()
    current: Lineage | None = lineage
    while current is not None:
        fingerprint = current.base_fingerprint
        line.insert(0, names.get(fingerprint, current.base))
        folder = folders.of_base(current) if fingerprint not in seen else None
        seen.add(fingerprint)
        current = None if folder is None else read_lineage(folder)
    return line


def _changed_settings(recipe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the settings of a recipe that are not the default, as `train.epochs` and text."""
    defaults = dict(_flat(_defaults(Recipe)))
    for name, value in _flat(recipe):
        # A default of the recipe is written as JSON writes it: a tuple is a list there.
        if name not in _SHOWN_APART and not (name in defaults and _listed(defaults[name]) == _listed(value)):
            yield name, _setting_text(value)


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _defaults(kind: type) -> dict[str, Any]:
    """Return the defaults of a dataclass as tables, those of its fields that are dataclasses too."""
    table: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for each in fields(kind):
        inner = hints[each.name]
        if isinstance(inner, type) and is_dataclass(inner):
            table[each.name] = _defaults(inner)
        elif each.default is not MISSING:
            table[each.name] = each.default
    return table


def _listed(value: Any) -> Any:  # noqa: ANN401 - plain data
    return list(value) if isinstance(value, tuple) else value


def _reason(error: HarnessError | OSError) -> str:
    return error.message if isinstance(error, HarnessError) else error.strerror or type(error).__name__


def _setting_text(value: Any) -> str:  # noqa: ANN401 - plain data
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting_text, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name  # a report does not name folders of the machine
    return f"{value:g}" if isinstance(value, float) else str(value)


def _curve(log: Iterable[LoggedLoss]) -> tuple[CurvePoint, ...]:
    """Return the points of a log: with all scores, and with so many losses as a curve can show."""
    entries = list(log)
    every = -(-len(entries) // _MOST_POINTS) or 1
    return tuple(
        CurvePoint(
            step=entry.step,
            epoch=rounded(entry.epoch) or 0,
            loss=None if entry.loss is None else rounded(entry.loss),
            metrics={
                name: short for name, value in entry.metrics.items() if (short := rounded(value)) is not None
            },
        )
        for place, entry in enumerate(entries)
        if entry.metrics or place % every == 0 or place == len(entries) - 1
    )
