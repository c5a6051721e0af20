"""Inputs of the action, which arrive as environment variables and become words of commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "HARNESS_ACTION_"
TOKEN = f"{_PREFIX}TOKEN"
"""Variable of the token; no command that runs a model gets it."""
_BASELINE = "baseline"
"""Name of a baseline that is given as a model without a name."""
_YES_NO = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInputs:
    """Inputs of the action, by the names of action.yml; texts are empty where they are not given."""

    models: tuple[str, ...]
    tasks: str = ""
    data: str = ""
    baseline: str = ""
    baseline_model: str = ""
    margin: str = ""
    gate: str = ""
    out: str = "results/action"
    comment: bool = True
    comment_key: str = ""
    comment_author: str = "github-actions[bot]"
    token: str = ""

    @property
    def report(self) -> Path:
        """Path of the report that the comment is made of."""
        return Path(self.out) / "compare.md"

    @property
    def compares(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self.baseline)

    @property
    def baseline_is_folder(self) -> bool:
        """Whether the baseline is a results folder, rather than a model or its folder."""
        folder = Path(self.baseline)
        return folder.suffix == ".csv" or any((folder / part).is_dir() for part in ("records", "errors"))

    def run_words(self) -> list[str]:
        """Return the words of `harness run`: each value in one word with its option."""
        models = list(self.models)
        if self.compares and not self.baseline_is_folder:
            models.insert(0, self._named_baseline())
        words = ["run", f"--out={self.out}", *(f"--model={model}" for model in models)]
        words += [f"--tasks={self.tasks}"] if self.tasks else []
        return words + ([f"--data={self.data}"] if self.data else [])

    def compare_words(self) -> list[str]:
        """Return the words of `harness compare`, which prints annotations and writes the report."""
        words = [
            "compare",
            "--format=github",
            f"--write={self.report}",
            f"--write={Path(self.out, 'compare.json')}",
        ]
        for option, value in (("margin", self.margin), ("gate", self.gate)):
            words += [f"--{option}={value}"] if value else []
        if self.baseline_is_folder:
            words += [f"--baseline={self.baseline_model}"] if self.baseline_model else []
            return [*words, "--", self.baseline, self.out]
        name = self.baseline_model or self._named_baseline().partition("=")[0]
        return [*words, f"--baseline={name}", "--", self.out]

    def _named_baseline(self) -> str:
        return self.baseline if "=" in self.baseline else f"{_BASELINE}={self.baseline}"


def read_inputs(environment: Mapping[str, str]) -> ActionInputs:
    """Return the inputs of the action.

    Raises HarnessError where no model is given, and for values that cannot be.
    """
    values = {
        name.removeprefix(_PREFIX).lower(): value.strip()
        for name, value in environment.items()
        if name.startswith(_PREFIX) and value.strip()
    }
    models = tuple(line.strip() for line in values.pop("model", "").splitlines() if line.strip())
    if not models:
        raise HarnessError("the input `model` is empty", hint="models, one a line: model: ./candidate")
    comment = values.pop("comment", "true").lower()
    if comment not in _YES_NO:
        raise HarnessError(f"the input `comment` is {comment!r}", hint="true or false")
    known = {name: values[name] for name in ActionInputs.__dataclass_fields__ if name in values}
    for name, value in known.items():
        if len(value.splitlines()) > 1:
            raise HarnessError(f"the input `{name.replace('_', '-')}` has several lines", hint="give one")
    return ActionInputs(models=models, comment=_YES_NO[comment], **known)
