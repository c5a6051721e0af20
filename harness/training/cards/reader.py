"""Read a model card that sentence-transformers generated: what it says of a training."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import CARD
from harness.system.text_file import read_text
from harness.training.cards.hyperparameters import Hyperparameters, hyperparameters, read_plan
from harness.training.cards.loss import CardLoss, read_loss
from harness.training.cards.markdown import Section, below, bullet, code_blocks, literal, number, sections
from harness.training.cards.results import read_claims, read_log, read_usage, widget_texts
from harness.training.cards.rows import read_columns, read_sample_rows, size_of
from harness.training.check_input import CheckInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card says: for checks, and what only a recipe needs; None where it is silent."""

    check_input: CheckInput
    plan: Hyperparameters
    loss: CardLoss | None = None
    base: str | None = None
    """Hub id of the base model."""
    revision: str | None = None
    architecture: Architecture
    version: str | None = None
    """Of sentence-transformers."""
    datasets: tuple[str, ...] = ()
    """Names of the training datasets; empty texts for unnamed ones."""
    kept_step: int | None = None
    """The step that the log marks as the one that was kept."""
    contradictions: tuple[str, ...] = ()
    """Where the card says two things of one, in sentences: a recipe cannot follow both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The model's modules, as the card prints them."""

    modules: tuple[str, ...] = ()
    """Their classes, in order; empty where the card has none."""
    pooling: str | None = None
    """`mean`, `cls`, … as recipes call them; several are joined by `+`."""
    normalized: bool | None = None
    dimensions: int | None = None
    max_tokens: int | None = None


def read_card(path: Path) -> Card:
    """Read the README.md of a model; sections that are missing leave what they say unknown.

    Raises HarnessError for a file that cannot be read, is empty, is no card of a sentence-embedding model,
    has a front matter that is no YAML, or gives one hyperparameter two values.
    """
    # PyYAML is needed for cards alone.
    from harness.training.cards.front_matter import cut_front_matter

    where = str(path)
    text = read_text(path, CARD)
    if not text.strip():
        raise HarnessError(f"{path} is empty")
    front, body = cut_front_matter(text, where)
    cut = sections(body)
    _check_kind(front, body, where)
    return _card(where, front, cut)


def _card(where: str, front: Mapping[str, Any], cut: Sequence[Section]) -> Card:
    given = hyperparameters(cut, where)
    datasets = [one for one in below(cut, "Training Dataset", "Training Datasets") if _is_dataset(one)]
    losses = [read_loss(one.text, where) for one in datasets]
    plan = read_plan(given, [size_of(one) for one in datasets], where)
    # One dataset's rows, columns and loss belong together: of several, the first stands for all.
    first, loss = (datasets[0].text, losses[0]) if datasets else ("", None)
    head = "\n".join(part.text for part in below(cut, "Model Details", "Model Description"))
    model = _architecture(cut, head)
    log, kept = read_log(cut)
    columns = read_columns(first)
    named, revision = _printed_base(head)
    contradictions = tuple(_contradictions(front, named, plan, losses))
    check_input = CheckInput(
        path=where, what="card",
        loss=loss.loss if loss else None, loss_name=loss.name if loss else "",
        normalized=model.normalized, dimensions=model.dimensions, max_tokens=model.max_tokens,
        size=plan.size, batch_size=plan.batch_size, batch_sampler=plan.batch_sampler,
        epochs=plan.epochs, steps=plan.steps, schedule=plan.schedule, keeps_best=plan.keeps_best,
        columns=columns, rows=read_sample_rows(first, loss.name if loss else "", columns, where),
        log=log, claims=read_claims(front, cut), usage=read_usage(cut), samples=widget_texts(front),
        garbled=_is_garbled(cut), contradictions=contradictions,
        trained=bool(datasets or given or log or "generated_from_trainer" in _tags(front)),
    )  # fmt: skip
    versions = "\n".join(part.text for part in below(cut, "Framework Versions"))
    return Card(
        check_input=check_input,
        plan=plan,
        loss=loss,
        base=_base(front) or named,
        revision=revision,
        architecture=model,
        version=bullet(versions, "Sentence Transformers"),
        datasets=tuple("" if one.title == "Unnamed Dataset" else one.title for one in datasets),
        kept_step=kept,
        contradictions=contradictions,
    )


def _is_garbled(cut: Sequence[Section]) -> bool:
    """Whether the one line that always has a character beyond ASCII has another than the library wrote."""
    lines = (_HUB_LINE.search(part.text) for part in cut)
    return any(found[1] != "🤗" and not found[1].isascii() for found in lines if found)


_HUB_LINE = re.compile(r"^# Download from the (\S{1,20}) Hub$", re.MULTILINE)


def _check_kind(front: Mapping[str, Any], body: str, where: str) -> None:
    """Raise HarnessError for a file that is no card of sentence-transformers, or another kind of model's."""
    tags = _tags(front)
    ours = front.get("library_name") == "sentence-transformers" or "sentence-transformers" in tags
    if not ours and "www.SBERT.net" not in body and "SentenceTransformer(" not in body:
        raise HarnessError(
            f"{where} is no model card of sentence-transformers",
            hint="the README.md that it writes beside a model has the tag sentence-transformers",
        )
    other = next((tag for tag in ("cross-encoder", "sparse-encoder") if tag in tags), None)
    if other is not None:
        raise HarnessError(f"{where} is the card of a {other}, not of a sentence-embedding model")


def _tags(front: Mapping[str, Any]) -> list[str]:
    tags = front.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _tagged(front: Mapping[str, Any], start: str) -> list[str]:
    return [tag.removeprefix(start) for tag in _tags(front) if tag.startswith(start)]


def _base(front: Mapping[str, Any]) -> str | None:
    """Name the base in the front matter; a merge of several has none."""
    base = front.get("base_model")
    base = base[0] if isinstance(base, list) and len(base) == 1 else base
    return base if isinstance(base, str) and base else None


def _printed_base(head: str) -> tuple[str | None, str | None]:
    """Name the base in the description, with its revision from the comment behind it."""
    line = bullet(head, "Base model") or ""
    name = line.partition("[")[2].partition("]")[0]
    revision = line.partition("<!-- at revision ")[2].partition("-->")[0].strip()
    return name or None, revision or None


def _is_dataset(section: Section) -> bool:
    return any(bullet(section.text, name) is not None for name in ("Size", "Columns", "Loss"))


def _architecture(cut: Sequence[Section], head: str) -> Architecture:
    """Read the printed modules; the description's figures go before theirs."""
    printed = [
        line
        for part in below(cut, "Full Model Architecture")
        for block in code_blocks(part.text)
        for line in block.split("\n")
    ]
    named = [found for line in printed if (found := re.match(r" *\(\w{1,99}\): (\w{1,99})\((.*)", line))]
    given: dict[str, Any] = {}
    for one in named:
        options = literal(one[2][: one[2].rfind("}") + 1])
        given |= _by_name(options) if isinstance(options, dict) else {}
    tokens = number(bullet(head, "Maximum Sequence Length") or "") or given.get("max_seq_length")
    width = number(bullet(head, "Output Dimensionality") or "")
    width = width or given.get("embedding_dimension") or given.get("word_embedding_dimension")
    return Architecture(
        modules=tuple(one[1] for one in named),
        pooling=_pooling(given),
        normalized=any(one[1] == "Normalize" for one in named) if named else None,
        dimensions=_whole(width),
        max_tokens=_whole(tokens),
    )


def _by_name(options: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if isinstance(name, str)}


def _pooling(given: Mapping[str, Any]) -> str | None:
    """Name the pooling: a mode since 5.4, before that a switch for each."""
    mode = given.get("pooling_mode")
    modes = [mode] if isinstance(mode, str) else list(mode) if isinstance(mode, list | tuple) else []
    for switch, value in given.items():
        if switch.startswith("pooling_mode_") and value is True:
            modes.append(switch.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token"))
    return "+".join(map(str, modes)) or None


def _whole(value: Any) -> int | None:  # noqa: ANN401 - what a card holds
    return int(value) if isinstance(value, int | float) and 0 < value < 1e12 else None


def _contradictions(
    front: Mapping[str, Any], named: str | None, plan: Hyperparameters, losses: Sequence[CardLoss | None]
) -> list[str]:
    """Compare the tags, which a second training with the same model adds to, with the sections."""
    found = []
    tagged = dict.fromkeys(_tagged(front, "loss:"))
    sections_say = dict.fromkeys(loss.wrapper or loss.name for loss in losses if loss)
    untagged = [name for name in sections_say if name not in tagged]
    if tagged and untagged:
        found.append(f"its tag says that the loss is {', '.join(tagged)}, its section {', '.join(untagged)}")
    sizes = [int(size) for size in _tagged(front, "dataset_size:") if size.isdecimal() and len(size) < 16]
    if plan.size and sizes and plan.size not in sizes:
        found.append(f"its tag says {sizes[-1]} training rows, its section {plan.size}")
    base = _base(front)
    if base and named and base != named:
        found.append(f"its front matter says that the base is {base}, its description {named}")
    return found
