"""Read a model card that sentence-transformers generated into facts about a training."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import CARD
from harness.system.text_file import read_text
from harness.training.cards.hyperparameters import Hyperparameters, hyperparameters, read_plan, read_prompts
from harness.training.cards.loss import CardLoss, read_loss
from harness.training.cards.markdown import (
    Section,
    below,
    bullet,
    code_blocks,
    folded,
    literal,
    number,
    sections,
)
from harness.training.cards.results import (
    count_devices,
    has_other_results,
    read_claims,
    read_log,
    read_usage,
    widget_texts,
)
from harness.training.cards.rows import read_columns, read_counted, read_sample_rows, read_size
from harness.training.check_input import CheckInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A parsed card: the input of checks, and the rest that a recipe needs; None for what is absent."""

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
    contradictions: tuple[str, ...] = ()
    """Sentences about values that the card gives twice, differently; a recipe cannot follow both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The modules of a model, as the card prints them."""

    modules: tuple[str, ...] = ()
    """Their classes, in order; empty where the card prints none."""
    pooling: str | None = None
    """`mean`, `cls`, … as in recipes; several are joined by `+`."""
    normalized: bool | None = None
    dimensions: int | None = None
    max_tokens: int | None = None


def read_card(path: Path) -> Card:
    """Read the README.md of a model; a missing section leaves its fields unknown.

    Raises HarnessError for a file that cannot be read, is empty, is not a card of a sentence-embedding
    model, has a front matter that is not YAML, or gives one hyperparameter two values.
    """
    # PyYAML is needed for cards only.
    from harness.system.front_matter import cut_front_matter

    where = str(path)
    text = read_text(path, CARD)
    if not text.strip():
        raise HarnessError(f"{path} is empty")
    front, body = cut_front_matter(text, where)
    parts = sections(body)
    _check_kind(front, body, where)
    return _card(where, front, parts)


def _card(where: str, front: Mapping[str, Any], parts: Sequence[Section]) -> Card:
    settings = hyperparameters(parts, where)
    sections_of_data = below(parts, "Training Dataset", "Training Datasets")
    datasets = [part for section in sections_of_data for part in folded(section) if _is_dataset(part)]
    losses = [read_loss(section.text, where) for section in datasets]
    plan = read_plan(settings, [read_size(section) for section in datasets], where)
    head = "\n".join(part.text for part in below(parts, "Model Details", "Model Description"))
    model = _architecture(parts, head)
    log = read_log(parts)
    named, revision = _printed_base(head)
    contradictions = tuple(_contradictions(front, named, plan, losses))
    shared = CheckInput(
        path=where, what="card",
        normalized=model.normalized, dimensions=model.dimensions, max_tokens=model.max_tokens,
        batch_size=plan.batch_size, loss_batch=plan.device_batch, batch_sampler=plan.batch_sampler,
        garbled=_is_garbled(parts), devices=count_devices(log, plan),
        base_name=_base(front) or named or "", prompts=read_prompts(settings),
    )  # fmt: skip
    read = [_dataset(shared, *pair) for pair in zip(datasets, losses, strict=True)]
    check_input = replace(
        read[0] if len(read) == 1 else shared, name="", parts=tuple(read) if len(read) > 1 else (),
        size=plan.size, epochs=plan.epochs, steps=plan.steps, schedule=plan.schedule,
        keeps_best=plan.keeps_best,
        log=log, claims=read_claims(front, parts), usage=read_usage(parts), samples=widget_texts(front),
        contradictions=contradictions, other_results=has_other_results(parts),
        trained=bool(datasets or settings or log or "generated_from_trainer" in _tags(front)),
    )  # fmt: skip
    versions = "\n".join(part.text for part in below(parts, "Framework Versions"))
    return Card(
        check_input=check_input,
        plan=plan,
        loss=losses[0] if losses else None,
        base=_base(front) or named,
        revision=revision,
        architecture=model,
        version=bullet(versions, "Sentence Transformers"),
        datasets=tuple(dataset.name for dataset in read),
        contradictions=contradictions,
    )


def _dataset(shared: CheckInput, section: Section, loss: CardLoss | None) -> CheckInput:
    """Return the facts of one training dataset, with those that all of the card's datasets share."""
    columns, name = read_columns(section.text), loss.name if loss else ""
    return replace(
        shared,
        name="" if section.title == "Unnamed Dataset" else section.title,
        loss=loss.loss if loss else None,
        loss_name=name,
        assumed=loss.assumed if loss else frozenset(),
        loss_options=loss.beyond if loss else {},
        size=read_size(section),
        columns=columns,
        counted=read_counted(section.text),
        rows=read_sample_rows(section.text, name, columns, shared.path),
    )


def _is_garbled(parts: Sequence[Section]) -> bool:
    """Whether the 🤗 that the library writes on every card was decoded to other non-ASCII characters."""
    lines = (_HUB_LINE.search(part.text) for part in parts)
    return any(match[1] != "🤗" and not match[1].isascii() for match in lines if match)


_HUB_LINE = re.compile(r"^# Download from the (\S{1,20}) Hub$", re.MULTILINE)


def _check_kind(front: Mapping[str, Any], body: str, where: str) -> None:
    """Raise HarnessError unless the file is a card of sentence-transformers for an embedding model."""
    tags = _tags(front)
    ours = front.get("library_name") == "sentence-transformers" or "sentence-transformers" in tags
    if not ours and "www.SBERT.net" not in body and "SentenceTransformer(" not in body:
        raise HarnessError(
            f"{where} is not a model card of sentence-transformers",
            hint="the README.md that it writes next to a model has the tag sentence-transformers",
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
    """Return the base of the front matter; None for a merge of several."""
    base = front.get("base_model")
    base = base[0] if isinstance(base, list) and len(base) == 1 else base
    return base if isinstance(base, str) and base else None


def _printed_base(head: str) -> tuple[str | None, str | None]:
    """Return the base in the description, and its revision from the comment after it."""
    line = bullet(head, "Base model") or ""
    name = line.partition("[")[2].partition("]")[0]
    revision = line.partition("<!-- at revision ")[2].partition("-->")[0].strip()
    return name or None, revision or None


def _is_dataset(section: Section) -> bool:
    return any(bullet(section.text, name) is not None for name in ("Size", "Columns", "Loss"))


def _architecture(parts: Sequence[Section], head: str) -> Architecture:
    """Read the printed modules; the numbers of the description take precedence over theirs."""
    printed = [
        line
        for part in below(parts, "Full Model Architecture")
        for block in code_blocks(part.text)
        for line in block.split("\n")
    ]
    matches = [match for line in printed if (match := re.match(r" *\(\w{1,99}\): (\w{1,99})\((.*)", line))]
    options: dict[str, Any] = {}
    for match in matches:
        value = literal(match[2][: match[2].rfind("}") + 1])
        options |= _by_name(value) if isinstance(value, dict) else {}
    tokens = number(bullet(head, "Maximum Sequence Length") or "") or options.get("max_seq_length")
    width = number(bullet(head, "Output Dimensionality") or "")
    width = width or options.get("embedding_dimension") or options.get("word_embedding_dimension")
    return Architecture(
        modules=tuple(match[1] for match in matches),
        pooling=_pooling(options),
        normalized=any(match[1] == "Normalize" for match in matches) if matches else None,
        dimensions=_whole(width),
        max_tokens=_whole(tokens),
    )


def _by_name(options: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if isinstance(name, str)}


def _pooling(options: Mapping[str, Any]) -> str | None:
    """Return the pooling: one option since 5.4, before that a switch for each mode."""
    mode = options.get("pooling_mode")
    modes = [mode] if isinstance(mode, str) else list(mode) if isinstance(mode, list | tuple) else []
    for switch, value in options.items():
        if switch.startswith("pooling_mode_") and value is True:
            modes.append(switch.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token"))
    return "+".join(map(str, modes)) or None


def _whole(value: Any) -> int | None:  # noqa: ANN401 - what a card holds
    return int(value) if isinstance(value, int | float) and 0 < value < 1e12 else None


def _contradictions(
    front: Mapping[str, Any], named: str | None, plan: Hyperparameters, losses: Sequence[CardLoss | None]
) -> list[str]:
    """Compare the sections with the tags, to which a second training with the same model adds."""
    sentences = []
    tagged = dict.fromkeys(_tagged(front, "loss:"))
    names = dict.fromkeys(loss.wrapper or loss.name for loss in losses if loss)
    untagged = [name for name in names if name not in tagged]
    # The library tags a loss inside another one, too, unless the author shortened the list.
    inner = dict.fromkeys(loss.name for loss in losses if loss and loss.wrapper in tagged)
    untagged += [name for name in inner if name not in tagged and len(tagged) > len(names)]
    if tagged and untagged:
        sentences.append(f"its tag names the loss {', '.join(tagged)}, its section {', '.join(untagged)}")
    sizes = [int(size) for size in _tagged(front, "dataset_size:") if size.isdecimal() and len(size) < 16]
    if plan.size and sizes and plan.size not in sizes:
        sentences.append(f"its tag gives {sizes[-1]} training rows, its section {plan.size}")
    base = _base(front)
    if base and named and base != named:
        sentences.append(f"its front matter names the base {base}, its description {named}")
    return sentences
