"""Find the results of a model and write them into its card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.interface import Settings
from harness.models.locate import locate_model, parse_model
from harness.render import plural
from harness.results.card_export import CARD, card_with_scores
from harness.results.folder import ResultsFolder, no_results
from harness.system.atomic import write_output
from harness.system.limits import CARD as LARGEST
from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.models.interface import ModelScheme, ModelSpec
    from harness.results.records import Evaluation

    Identity = tuple[str, str]
    """A model's name and fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedCard:
    """What was put into a card."""

    card: Path
    changed: bool
    """Whether the file was written: False where it held the same scores."""
    summary: str
    """How many scores of how many tasks."""
    remarks: tuple[str, ...] = ()
    """One sentence each: what was left out, and what is illustrative."""


def export_card(
    model: str,
    results: Path,
    schemes: Mapping[str, ModelScheme],
    *,
    name: str | None = None,
    card: Path | None = None,
) -> ExportedCard:
    """Write the scores of a model into its card; a file that would not change is not written.

    model: as for `--model`; its folder has the card, unless `card` names the file. name: the model's in the
    results, needed where several of them are of this content.
    Raises HarnessError for a model without results of its content, a broken record, and a card that cannot
    be read or written; the card is as it was then.
    """
    spec = parse_model(model, schemes)
    if card is None:
        if spec.scheme != "folder":
            raise HarnessError(f"{model} is not a folder that has a card", hint="name a file: --out FILE")
        card = user_path(spec.location) / CARD
    problems: list[str] = []
    found = ResultsFolder(results).evaluations(problems)
    if not found and not problems:
        raise no_results(results)
    chosen = _of_model(spec, found, schemes, name, results)
    if broken := [one for one in chosen if one.status == "broken"]:
        raise HarnessError(
            f"{broken[0].examination.task}: {broken[0].error}",
            hint="delete the record and run again; nothing was written",
        )
    ok = [one for one in chosen if one.status == "ok"]
    if not ok:
        raise HarnessError(f"every task of {model} failed: {chosen[0].error}")
    before = _read_card(card)
    after = card_with_scores(before, ok[0].candidate.model, ok, shown_path(card))
    if after != before:
        write_output(card, after.encode())
    return ExportedCard(
        card=card,
        changed=after != before,
        summary=f"{plural(sum(len(one.scores) for one in ok), 'score')} of {plural(len(ok), 'task')}",
        remarks=tuple(_remarks(chosen)),
    )


def _of_model(
    spec: ModelSpec,
    found: Sequence[Evaluation],
    schemes: Mapping[str, ModelScheme],
    name: str | None,
    results: Path,
) -> list[Evaluation]:
    """Return the results of the model's content; of several settings, those of its own defaults.

    Raises HarnessError where there are none, or several models are meant.
    """
    groups: dict[Identity, list[Evaluation]] = {}
    for one in found:
        if name is None or one.candidate.model == name:
            groups.setdefault(one.model, []).append(one)
    if name is not None and not groups:
        raise HarnessError.unknown("model", name, {one.candidate.model for one in found})
    same = {
        identity: group
        for identity, group in groups.items()
        if _fingerprint(spec, group[0].candidate.settings, schemes) == identity[1]
    }
    if not same:
        raise HarnessError(
            f"{shown_path(results)} has no results of {spec.location or spec.scheme} as it is now",
            exists="\n".join(f"{known} ({fingerprint[:8]})" for known, fingerprint in groups),
            hint="it was not evaluated, or was changed since: harness run --model MODEL --out DIR",
        )
    plain = {identity: group for identity, group in same.items() if _is_plain(group[0])}
    if len(same) > 1 and len(plain) == 1:
        same = plain
    if len(same) > 1:
        raise HarnessError(
            f"{shown_path(results)} has several models of this content",
            exists=", ".join(sorted({known for known, _ in same})),
            hint="--model NAME says which",
        )
    return next(iter(same.values()))


def _fingerprint(spec: ModelSpec, settings: Settings, schemes: Mapping[str, ModelScheme]) -> str | None:
    """Return the fingerprint of a model with these settings; None where it does not take them."""
    try:
        return locate_model(replace(spec, settings=settings), schemes).fingerprint
    except HarnessError:
        if settings == Settings():
            raise
        return None


def _is_plain(evaluation: Evaluation) -> bool:
    return evaluation.candidate.settings == Settings()


def _read_card(card: Path) -> str:
    """Return the text of a card with its own line breaks; empty where there is none.

    Raises HarnessError for a file that cannot be read, is too large or is not UTF-8.
    """
    try:
        content = card.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise HarnessError(f"cannot read {shown_path(card)}: {error.strerror}") from error
    LARGEST.check(len(content), shown_path(card))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise HarnessError(f"{shown_path(card)} is not UTF-8", hint="save it as UTF-8") from error


def _remarks(evaluations: Sequence[Evaluation]) -> list[str]:
    samples = [one.examination.task for one in evaluations if one.examination.data == "sample"]
    limited = [one.examination.task for one in evaluations if one.examination.limit is not None]
    failed = [one.examination.task for one in evaluations if one.status == "error"]
    said = {
        "shipped samples, marked as illustrative in the card": samples,
        "limited runs, marked in the card": limited,
        "failed, and not in the card": failed,
    }
    return [f"{what}: {', '.join(dict.fromkeys(tasks))}" for what, tasks in said.items() if tasks]
