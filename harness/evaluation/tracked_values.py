"""What trackers get of a record: parameters and metrics as flat names and plain values."""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any

from harness.system.environment import version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.results.records import Throughput

    Parameters = dict[str, str | int | float | bool]

_LONGEST_VALUE = 500
_LONGEST_NAME = 200
"""Characters; MLflow has 250, of which `_high` and the slash take some."""
_SPELLED = {"@": "_at_", ":": "_"}
_FACTS = ("dimensions", "similarity", "parameters", "max_tokens", "device", "dtype", "backend")


def tracked_name(name: str) -> str:
    """Return a name that trackers take: letters of ASCII, digits, `_` and `-`.

    `@` becomes `_at_`, `:` becomes `_`. A name with any other character gets `_` in its place, and six digits
    of its hash, so that two names stay two.
    """
    spelled = "".join(_SPELLED.get(character, character) for character in name)
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", spelled)
    if plain == spelled and len(plain) <= _LONGEST_NAME // 2:
        return plain
    return f"{plain[: _LONGEST_NAME // 2 - 7]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def model_parameters(record: Mapping[str, Any]) -> Parameters:
    """Return what a record says of its model and the libraries, by names such as `settings.dtype`."""
    candidate = record["candidate"]
    found: dict[str, Any] = {"model": candidate["model"], "fingerprint": candidate["fingerprint"]}
    for name, value in candidate["settings"].items():
        if name == "prompts":
            found |= {f"settings.prompts.{role}": prompt for role, prompt in value}
        else:
            found[f"settings.{name}"] = value
    facts = candidate["facts"] or {}
    found |= {f"model.{name}": facts[name] for name in _FACTS if facts.get(name) is not None}
    found["library.harness"] = version()
    found |= {f"library.{name}": number for name, number in record["libraries"].items()}
    return _values(found)


def record_values(record: Mapping[str, Any], outcome: str) -> tuple[dict[str, float], Parameters]:
    """Return metrics and parameters of a record: see `TrackedRecord`."""
    asked, task = record["examination"], tracked_name(record["examination"]["task"])
    found = {f"{task}/{name}": asked[name] for name in ("data", "split", "version", "digest")}
    found[f"{task}/outcome"] = outcome
    if asked["limit"] is not None:
        found[f"{task}/limit"] = asked["limit"]
    if record["status"] != "ok":
        return {}, _values(found | {f"{task}/error": record["error"]})
    metrics: dict[str, float] = {}
    for score in record["scores"]:
        name = f"{task}/{tracked_name(score['metric'])}"
        values = {name: score["score"], f"{name}_low": score["low"], f"{name}_high": score["high"]}
        metrics |= {key: float(value) for key, value in values.items() if value is not None}
    return metrics, _values(found)


def speed_metrics(speed: Throughput | None) -> dict[str, float]:
    """Return the speed of a model; nothing where it was not measured."""
    if speed is None:
        return {}
    low, median, high = speed.rates
    rates = {"texts_per_second": median, "texts_per_second_low": low, "texts_per_second_high": high}
    if speed.tokens_per_second is not None:
        rates["tokens_per_second"] = speed.tokens_per_second
    return {f"throughput/{name}": value for name, value in rates.items() if math.isfinite(value)}


def _values(found: Mapping[str, Any]) -> Parameters:
    """Return values as trackers take them: numbers and texts, long ones cut; None is `default`."""
    return {
        name: value
        if isinstance(value, bool | int | float)
        else _short("default" if value is None else str(value))
        for name, value in found.items()
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
