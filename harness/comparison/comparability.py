"""What must be the same for two scores to be comparable, what may differ, and what is only told."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from harness.comparison.result import Difference
from harness.errors import HarnessError
from harness.models.interface import Settings
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
"""Column of the leaderboard, which is also what `--allow` takes → field of an examination."""

_SOURCE = "task_source"

MACHINE = "machine"

KEYS = (*_EXAMINATION, MACHINE)
"""What `--allow` takes."""

_FACTS = ("dimensions", "max_tokens", "similarity", "device", "backend", "parameters")
_SHORT = 8


def check_keys(keys: Iterable[str]) -> frozenset[str]:
    """Return the keys of `--allow`; raises HarnessError for one that there is not."""
    given = frozenset(key.replace("-", "_") for key in keys)
    for key in sorted(given - set(KEYS)):
        raise HarnessError.unknown("difference to allow", key, KEYS)
    return given


def examination_differences(baseline: Evaluation, candidate: Evaluation) -> tuple[Difference, ...]:
    """Name what was asked differently, apart from the task itself; of its code, which part."""
    asked = baseline.examination, candidate.examination
    sides = {
        key: (_short_text(getattr(asked[0], name)), _short_text(getattr(asked[1], name)))
        for key, name in _EXAMINATION.items()
        if getattr(asked[0], name) != getattr(asked[1], name)
    }
    if _SOURCE in sides and baseline.code and candidate.code:
        left, right = sides[_SOURCE]
        sides[_SOURCE] = left, f"{right} ({'; '.join(task_changes(baseline.code, candidate.code))})"
    return tuple(Difference(key, *pair) for key, pair in sides.items())


def setting_differences(baseline: ModelRecord, candidate: ModelRecord) -> tuple[Difference, ...]:
    """Name how two models were used differently: that may be, since it is what people compare."""
    pairs: dict[str, tuple[Any, Any]] = {
        one.name: (getattr(baseline.settings, one.name), getattr(candidate.settings, one.name))
        for one in fields(Settings)
    }
    if baseline.facts and candidate.facts:
        # What came of the settings says more than what was asked ("auto").
        pairs |= {name: (getattr(baseline.facts, name), getattr(candidate.facts, name)) for name in _FACTS}
    return tuple(
        Difference(name, _value_text(left), _value_text(right))
        for name, (left, right) in pairs.items()
        if left != right
    )


def library_note(baseline: dict[str, str], candidate: dict[str, str]) -> str | None:
    """Say which libraries differ; they move scores by no more than rounding, so it is no refusal."""
    differing = sorted(
        name for name in {*baseline, *candidate} if baseline.get(name, "–") != candidate.get(name, "–")
    )
    if not differing:
        return None
    told = ", ".join(f"{name} {baseline.get(name, '–')} / {candidate.get(name, '–')}" for name in differing)
    return f"libraries differ: {told}"


def scoring_note(baseline: Evaluation, candidate: Evaluation) -> str | None:
    """Say which modules of ours differ: what they would have scored alike is not known."""
    told = scoring_changes(baseline.code, candidate.code) if baseline.code and candidate.code else []
    return f"{told[0]} between the two runs: run the older one again" if told else None


def machine_differences(baseline: Throughput, candidate: Throughput) -> tuple[Difference, ...]:
    """Name what makes two speeds incomparable: another machine, or other texts."""
    return tuple(
        Difference(MACHINE, f"{name} {_short_text(left)}", f"{name} {_short_text(right)}")
        for name in ("processor", "cores", "device", "workload")
        if (left := getattr(baseline, name)) != (right := getattr(candidate, name))
    )


def _value_text(value: Any) -> str:  # noqa: ANN401 - any setting
    return "none" if value is None or value == () else str(value)


def _short_text(value: Any) -> str:  # noqa: ANN401 - any field
    text = _value_text(value)
    is_hash = len(text) == 64 and not set(text) - set("0123456789abcdef")
    return text[:_SHORT] if is_hash else text
