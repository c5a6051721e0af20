"""Weights that transformers does not find in a model's files: it draws them at random, with a warning."""

from __future__ import annotations

import contextlib
import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_LOADERS = ("transformers.modeling_utils", "transformers.integrations.peft")
"""Modules that load weights, and hand what was missing to `_REPORT`."""
_REPORT = "log_state_dict_report"
_NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")


@dataclass(frozen=True, slots=True)
class LoadingReport:
    """A transformer that was loaded, or an adapter of one, and how its files fit."""

    model: Any
    missing: tuple[str, ...]
    """Names of weights that no file has, sorted."""
    unexpected: tuple[str, ...]
    """Names in the files that the model has no use for, sorted: often a head of pretraining."""

    def missing_weights(self) -> dict[str, torch.Tensor]:
        """Return the weights that no file has, by name; they share memory with the model."""
        state = self.model.state_dict()
        return {name: state[name] for name in self.missing if name in state}

    def unused_layers(self) -> list[str]:
        """Return names of layers in the files that the configuration leaves out, sorted by name.

        Such a name differs only in its number from one that the model has.
        """
        prefix = f"{getattr(self.model, 'base_model_prefix', '')}."
        known = {_NUMBER.sub("*", name) for name in self.model.state_dict()}
        return [
            name
            for name in self.unexpected
            if _NUMBER.search(name) and _NUMBER.sub("*", name.removeprefix(prefix)) in known
        ]


@contextlib.contextmanager
def recorded_reports() -> Iterator[list[LoadingReport]]:
    """Record a report of each transformer and adapter that is loaded within the context.

    transformers returns it only to direct callers of `from_pretrained`, and sentence-transformers is none.
    Raises HarnessError where transformers reports in another way.
    """
    reports: list[LoadingReport] = []
    originals = {}
    for name in _LOADERS:
        module = importlib.import_module(name)
        if (original := getattr(module, _REPORT, None)) is None:
            raise HarnessError(
                "this release of transformers does not say which weights it draws at random",
                hint="install the releases that are known to work: pip install -c constraints.txt",
            )
        originals[module] = original

    def recording(original: Any) -> Any:  # noqa: ANN401 - a function of transformers
        def report(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the original's
            info = options["loading_info"]
            unexpected = tuple(sorted(info.unexpected_keys))
            reports.append(LoadingReport(options["model"], tuple(sorted(info.missing_keys)), unexpected))
            return original(*args, **options)

        return report

    try:
        for module, original in originals.items():
            setattr(module, _REPORT, recording(original))
        yield reports
    finally:
        for module, original in originals.items():
            setattr(module, _REPORT, original)
