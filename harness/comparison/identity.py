"""Models that nothing identifies, in a comparison: their scores are shown, and decide no gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.comparison.same_model import same_model_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison.result import GateLine
    from harness.comparison.sources import ModelResults


def undecided_if_unidentified(
    lines: Sequence[GateLine], models: Sequence[ModelResults]
) -> Iterator[GateLine]:
    """Yield each condition, undecided where one of the models is not identified, whatever the policy says.

    What passed and what is shipped may be two models. A condition that is broken stays so.
    """
    names = unidentified(models)
    for line in lines:
        if not names or line.outcome == "broken":
            yield line
        else:
            sentence = f"{line.sentence}; it decides nothing: {' and '.join(names)} unidentified"
            yield replace(line, outcome="undecided", holds=False, sentence=sentence)


def identity_notes(baseline: ModelResults, candidates: Sequence[ModelResults]) -> Iterator[str]:
    """Yield a note for each candidate that is the baseline's model, and for each that is not identified."""
    yield from same_model_notes(baseline, candidates)
    for name in unidentified((baseline, *candidates)):
        yield (
            f"{name} is unidentified: nothing says that it is the same model tomorrow, so it decides no gate;"
            " run it again with --revision NAME, which declares what it is"
        )


def unidentified(models: Sequence[ModelResults]) -> list[str]:
    """Return the names of models that nothing identifies, each once."""
    return list(dict.fromkeys(model.name for model in models if not model.identified))
