"""Kinds of units of work, as plain data, and what they return."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from harness.models.interface import Role
from harness.render import plural
from harness.system.work_unit import next_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from harness.metrics.search_part import SearchPart
    from harness.models.interface import ModelFacts, ModelSpec
    from harness.results.records import Evaluation
    from harness.tasks.interface import DataChoice
    from harness.training.check_input import Rows
    from harness.training.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeUnit:
    """Encode a shard of texts by one model."""

    spec: ModelSpec
    """Settings of storage left out: embeddings are encoded in full."""
    name: str
    """Display name of the model."""
    fingerprint: str
    """A worker refuses a model that has another one."""
    want: Literal["description", "embeddings", "tokens"] = "embeddings"
    """`tokens` alone where embeddings are cached already; `description` to load the model."""
    role: Role = Role.TEXT
    texts: Sequence[str] = field(default=(), repr=False)
    number: int = field(default_factory=next_number, compare=False)

    @property
    def group(self) -> str:
        """Units of one model, as it is set."""
        return f"{self.fingerprint} {self.spec.scheme} {self.spec.location} {self.spec.settings}"

    @property
    def what(self) -> str:
        """What is done, for people."""
        if self.want == "description":
            return f"loading {self.name}"
        done = "encoding" if self.want == "embeddings" else "counting tokens of"
        return f"{done} {plural(len(self.texts), 'text')} with {self.name}"

    @property
    def paths(self) -> tuple[str, ...]:
        """What may be the folder of its model; a plugin's scheme may name one, too."""
        return (self.spec.location,) if self.spec.location and self.spec.scheme != "hub" else ()

    def moved(self, places: Mapping[str, str]) -> Self:
        """Return the same unit with a model that lies elsewhere."""
        location = self.spec.location
        return replace(self, spec=replace(self.spec, location=places.get(location, location)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchUnit:
    """Search a part of a corpus; returns a `PartFound`."""

    part: SearchPart
    number: int = field(default_factory=next_number, compare=False)
    group: str = ""
    """None: it needs no model, and leaves the one that is loaded."""

    @property
    def what(self) -> str:
        """What is done, for people."""
        return f"searching {plural(len(self.part.documents), 'document')}"

    @property
    def paths(self) -> tuple[str, ...]:
        """None: all that it needs is in it."""
        return ()

    def moved(self, places: Mapping[str, str]) -> Self:  # noqa: ARG002 - it has no paths
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A loaded model, without its weights: what has to be the same on every worker."""

    facts: ModelFacts
    alike: Mapping[Role, Role]
    """Role → the one for all that the model encodes alike."""
    computation: Mapping[str, Any]
    """What the bits of its embeddings depend on besides the model and the text: `models.computation`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What an `EncodeUnit` returns."""

    model: ModelDescription
    threads: str
    """How the worker uses threads, in words; empty where the model does not say."""
    embeddings: np.ndarray | None = None
    """(len(texts), dimensions) float32."""
    tokens: np.ndarray | None = None
    """(len(texts),): tokens before any cut, -1 where they were not counted; None if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainUnit:
    """Train one candidate: one seed of a recipe, on rows that were checked."""

    recipe: Recipe
    rows: Rows = field(repr=False)
    base: ModelSpec
    base_fingerprint: str
    """A worker refuses a base that has another one."""
    base_name: str
    tasks: Mapping[str, str]
    """Tasks of the recipe, in its order → digest of their rows; a worker refuses other rows."""
    task_files: tuple[str, ...] = ()
    """Task files that the user named."""
    data: DataChoice
    out: str
    """Where the candidate goes: an absolute path."""
    mark: str
    """A file beside `out` that the command has made. A worker that sees it writes the candidate there;
    any other returns its files."""
    seed: int
    device: str
    """As the user gave it: what `auto` is, the worker sees."""
    threads: int
    """Maximum number of threads: the same wherever the seeds of one command are trained."""
    command: tuple[str, ...] = ()
    """The words of the user's command, for the lineage."""
    allowed: tuple[str, ...] = ()
    no_texts: bool = False
    number: int = field(default_factory=next_number, compare=False)

    @property
    def group(self) -> str:
        """One of its own: trainings share nothing that is loaded."""
        return self.out

    @property
    def what(self) -> str:
        """What is done, for people."""
        return f"training {self.recipe.name}, seed {self.seed}"

    @property
    def paths(self) -> tuple[str, ...]:
        """What may be the folder of its base, and task files."""
        return (*((self.base.location,) if self.base.location else ()), *self.task_files)

    def moved(self, places: Mapping[str, str]) -> Self:
        """Return the same unit with a base and task files that lie elsewhere."""
        location = self.base.location
        return replace(
            self,
            base=replace(self.base, location=places.get(location, location)),
            task_files=tuple(places.get(file, file) for file in self.task_files),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A part of a file of a candidate."""

    file: str
    """Its path in the candidate's folder, with `/`."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a `TrainUnit` returns."""

    evaluations: tuple[Evaluation, ...]
    files: tuple[FilePart, ...] | None = None
    """The candidate's files in order, each in parts of bounded size; None where it is in its place."""
