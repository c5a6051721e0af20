"""Comparability of two results: differences that forbid a comparison, are listed, or are noted."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from harness.comparison.result import Difference
from harness.errors import HarnessError
from harness.models.interface import Settings
from harness.render import told_apart
from harness.results.code_changes import scoring_changes, task_changes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.results.records import Evaluation, ModelRecord, Throughput

_EXAMINATION = {
    "split": "split",
    "data": "data",
    "limit": "limit",
    "digest": "digest",
    "task_version": "version",
    "task_source": "source",
}
"""Key of `--allow`, also a column of the leaderboard → field of `Examination`."""

_SOURCE = "task_source"

MACHINE = "machine"

KEYS = (*_EXAMINATION, MACHINE)
"""Keys of `--allow`."""

_FACTS = ("dimensions", "max_tokens", "similarity", "device", "backend", "parameters")
_HASH = re.compile("[0-9a-f]{64}|none|")


def check_keys(keys: Iterable[str]) -> frozenset[str]:
    """Return the keys of `--allow`; raises HarnessError for an unknown one."""
    allowed = frozenset(key.replace("-", "_") for key in keys)
    for key in sorted(allowed - set(KEYS)):
        raise HarnessError.unknown("--allow key", key, KEYS)
    return allowed


def examination_differences(baseline: Evaluation, candidate: Evaluation) -> tuple[Difference, ...]:
    """Return the differences between two examinations of a task; changed modules of its code are named."""
    left, right = baseline.examination, candidate.examination
    values = {
        key: _short_texts(getattr(left, name), getattr(right, name))
        for key, name in _EXAMINATION.items()
        if getattr(left, name) != getattr(right, name)
    }
    if _SOURCE in values and baseline.code and candidate.code:
        before, after = values[_SOURCE]
        values[_SOURCE] = before, f"{after} ({'; '.join(task_changes(baseline.code, candidate.code))})"
    return tuple(Difference(key, *pair) for key, pair in values.items())


def setting_differences(baseline: ModelRecord, candidate: ModelRecord) -> tuple[Difference, ...]:
    """Return the differences between the settings of two models; these are what people compare."""
    pairs: dict[str, tuple[Any, Any]] = {
        field.name: (getattr(baseline.settings, field.name), getattr(candidate.settings, field.name))
        for field in fields(Settings)
    }
    if baseline.facts and candidate.facts:
        # The facts replace settings such as "auto" by their effect.
        pairs |= {name: (getattr(baseline.facts, name), getattr(candidate.facts, name)) for name in _FACTS}
    return tuple(
        Difference(name, _value_text(left), _value_text(right))
        for name, (left, right) in pairs.items()
        if left != right
    )


def library_note(baseline: dict[str, str], candidate: dict[str, str]) -> str | None:
    """Name the libraries whose versions differ; None if all are equal. They move scores by rounding only."""
    differing = sorted(
        name for name in {*baseline, *candidate} if baseline.get(name, "–") != candidate.get(name, "–")
    )
    if not differing:
        return None
    versions = [f"{name} {baseline.get(name, '–')} / {candidate.get(name, '–')}" for name in differing]
    return f"libraries differ: {', '.join(versions)}"


def scoring_note(baseline: Evaluation, candidate: Evaluation) -> str | None:
    """Name the scoring modules of harness that changed between two evaluations; None if none did."""
    changes = scoring_changes(baseline.code, candidate.code) if baseline.code and candidate.code else []
    return f"{changes[0]} between the two runs: run the older one again" if changes else None


def machine_differences(baseline: Throughput, candidate: Throughput) -> tuple[Difference, ...]:
    """Return the differences in machine and workload that make two speeds incomparable."""
    return tuple(
        Difference(MACHINE, *(f"{name} {text}" for text in _short_texts(left, right)))
        for name in ("processor", "cores", "device", "workload")
        if (left := getattr(baseline, name)) != (right := getattr(candidate, name))
    )


def _value_text(value: Any) -> str:  # noqa: ANN401 - any setting
    return "none" if value is None or value == () else str(value)


def _short_texts(left: Any, right: Any) -> tuple[str, str]:  # noqa: ANN401 - any field
    """Return two different values as text: of hashes, the first digits, as many as tell them apart."""
    texts = _value_text(left), _value_text(right)
    return told_apart(*texts) if all(map(_HASH.fullmatch, texts)) else texts
