"""Faults that a card can show, put into copies of the cards of sound trainings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IN_BATCH = re.compile(r"- loss:(?:Cached)?MultipleNegatives(?:Symmetric)?RankingLoss")
_LOG_LINE = re.compile(
    r"^\| *(?:\*\*)?-?\d+(?:\.\d+)?(?:\*\*)? *\| *(?:\*\*)?-?\d+(?:\*\*)? *\|.*\|$", re.MULTILINE
)
_SAMPLE_LINE = re.compile(r"^  \| <code>.*\|$", re.MULTILINE)
_CODE = re.compile(r"<code>(.*?)</code>")
_FITTED = re.compile(r"Columns: <code>sentence_0")
"""A card by `fit`, which writes it at each new best evaluation: it loses none, and a second at 1.0 is none."""


@dataclass(frozen=True, slots=True)
class CardFault:
    """Something wrong that a card shows."""

    name: str
    change: Callable[[str], str | None]
    """Takes the text of a sound card; None where the fault has no meaning there."""


def cells_changed(change: Callable[[int, list[str]], list[str]]) -> Callable[[str], str | None]:
    """Return the change of the cells of the rows that a card shows: takes the row's number and its cells."""

    def apply(text: str) -> str | None:
        rows = list(_SAMPLE_LINE.finditer(_training_part(text)))
        if not rows:
            return None
        for number, match in enumerate(rows):
            cells = _CODE.findall(match[0])
            new = change(number, list(cells))
            if new == cells:
                return None
            line = "  | " + " | ".join(f"<code>{cell}</code>" for cell in new) + " |"
            text = text.replace(match[0], line, 1)
        return text

    return apply


def _training_part(text: str) -> str:
    """Return the text up to the evaluation data sets, whose rows are not the training's."""
    return text.partition("### Evaluation Dataset")[0]


def replaced(pattern: str, new: str, *, where: str = "") -> Callable[[str], str | None]:
    """Return the change of every match of a pattern; None where there is none, or the card lacks `where`."""

    def apply(text: str) -> str | None:
        if where and not re.search(where, text):
            return None
        changed, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        return changed if count and changed != text else None

    return apply


def column_of_log(
    name: str, value: Callable[[int, int], str], *, where: str = ""
) -> Callable[[str], str | None]:
    """Return the change of a column of the log, by the number of the line and that of all lines.

    name: pattern of the column's name.
    """

    def apply(text: str) -> str | None:
        lines = [match[0] for match in _LOG_LINE.finditer(text)]
        header = re.search(r"^\| Epoch.*\|$", text, re.MULTILINE)
        if header is None or not lines or (where and not re.search(where, text)):
            return None
        names = [cell.strip() for cell in header[0].strip("|").split("|")]
        columns = [place for place, cell in enumerate(names) if re.fullmatch(name, cell)]
        if not columns:
            return None
        changed = text
        for number, line in enumerate(lines):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            for place in columns:
                if cells[place] not in ("-", ""):
                    cells[place] = value(number, len(lines))
            changed = changed.replace(line, "| " + " | ".join(cells) + " |", 1)
        return changed if changed != text else None

    return apply


def scores_set(pattern: str, value: str, *, where: str = "") -> Callable[[str], str | None]:
    """Return the change of the reported scores whose metric matches: in front, and in the card's table.

    Only numbers are changed, in tables of two columns: the heads of tables and the log stay as they are.
    """
    front = replaced(rf"(- type: (?:{pattern})\n\s+value: )[-\d.e]+", rf"\g<1>{value}", where=where)
    return _both(
        front,
        _optional(
            replaced(
                rf"(^\| (?:\*\*)?(?:{pattern})(?:\*\*)? +\| )(?:\*\*)?-?[\d.]+(?:\*\*)? *\|$",
                rf"\g<1>{value} |",
            )
        ),
    )


def _both(*changes: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return all changes in turn; None if any has no meaning."""

    def apply(text: str) -> str | None:
        result: str | None = text
        for change in changes:
            result = change(result) if result is not None else None
        return result

    return apply


def _either(*changes: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return the first change that has a meaning."""
    return lambda text: next((new for change in changes if (new := change(text)) is not None), None)


def _optional(change: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda text: change(text) or text


def _number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None


def _lower_claims(text: str) -> str | None:
    """Lower every reported score, as if the last and worst weights were published."""
    if "`load_best_model_at_end`: True" in text or "model-index" not in text or _FITTED.search(text):
        return None

    def lower(match: re.Match[str]) -> str:
        return f"{match[1]}{0.8 * round(float(match[2]), 4):.5f}"

    text = re.sub(r"(- type: \S+\n\s+value: )(\d\.\d+)", lower, text)
    return re.sub(
        r"(^\| (?:\*\*)?[a-z][\w@]+(?:\*\*)? +\| )(?:\*\*)?(\d\.\d+)(?:\*\*)?",
        lower,
        text,
        flags=re.MULTILINE,
    )


def _metric_twice(text: str) -> str | None:
    """Report the first metric again with another value."""
    match = re.search(r"    - type: (\S+)\n      value: ([-\d.e]+)\n      name: (.*)\n", text)
    if match is None:
        return None
    again = f"    - type: {match[1]}\n      value: {0.9 * float(match[2]):.6f}\n      name: {match[3]}\n"
    return text[: match.end()] + again + text[match.end() :]


def _without_evaluation(text: str) -> str | None:
    """Take out every score: front matter, section and columns of the log."""
    text = re.sub(r"\nmodel-index:.*?\n---\n", "\n---\n", text, count=1, flags=re.DOTALL)
    text = re.sub(r"\n## Evaluation\n.*?(?=\n## )", "\n", text, count=1, flags=re.DOTALL)
    head = re.search(r"^\| Epoch.*\|$", text, re.MULTILINE)
    names = [cell.strip() for cell in head[0].strip("|").split("|")] if head else []
    # A short training by `fit` has no column of losses.
    width = 3 if "Training Loss" in names else 2
    lines = []
    for line in text.split("\n"):
        is_log = line.startswith("| Epoch") or _LOG_LINE.fullmatch(line)
        cells = line.strip("|").split("|")
        lines.append("|" + "|".join(cells[:width]) + "|" if is_log else line)
    return "\n".join(lines)


def _in_percent(text: str) -> str | None:
    """Write every score as a percentage: in front, in the tables and in the log; thresholds stay."""
    if "model-index" not in text:
        return None

    def times(match: re.Match[str]) -> str:
        return match[1] + f"{100 * float(match[2]):.6g}" + (match[3] or "")

    text = re.sub(r"(- type: (?!\S*threshold)\S+\n\s+value: )(-?[\d.]+(?:e-?\d+)?)()", times, text)
    text = re.sub(
        r"(^\| (?:\*\*)?(?!\S*threshold)[a-z][\w@]+(?:\*\*)? +\| (?:\*\*)?)(-?\d[\d.]*)((?:\*\*)? *\|$)",
        times, text, flags=re.MULTILINE,
    )  # fmt: skip
    head = re.search(r"^\| Epoch.*\|$", text, re.MULTILINE)
    names = [cell.strip() for cell in head[0].strip("|").split("|")] if head else []
    for line in {match[0] for match in _LOG_LINE.finditer(text)}:
        cells = [
            re.sub(r"()(-?\d[\d.]*)()", times, cell)
            if name not in ("Epoch", "Step", "Training Loss")
            else cell
            for name, cell in zip(names, line.strip("|").split("|"), strict=True)
        ]
        text = text.replace(line, f"|{'|'.join(cells)}|")
    return text


_TEMPLATES = (
    "{title}",
    "Dear {{ customer_name }}, your order",
    "What does {product} cost?",
    "[TITLE] ${name}",
)
_HTML = ("<p>{}</p>", "<div><b>{}</b>&nbsp;</div>", "{}<br/>&amp;")
_TRAINED = r"Columns: <code>(?!sentence_0)"
"""A card by the trainer: see `_FITTED`."""
_ANY_METRIC = r"[^|\n]*?"
_PAIRS = r"- loss:.*(?:Ranking|Triplet|GIST|MegaBatch)"

CARD_FAULTS = (
    CardFault("card: scores 0 to 100", _both(
        replaced(r"<li>max: 1\.0</li>", "<li>max: 100.0</li>", where=r"- loss:CosineSimilarityLoss"),
        replaced(r"<li>mean: 0\.(\d\d)\d*</li>", r"<li>mean: \1.0</li>"),
    )),
    CardFault("card: margin out of reach", replaced(
        r'("(?:triplet_margin|margin)": )[\d.]+', r"\g<1>5",
        # The margin of GISTEmbedLoss says which negatives are left out, and has no maximum.
        where=r"- loss:(?!.*GIST)[\s\S]*\): Normalize\(")),
    CardFault("card: batch of 2", replaced(
        r"(- `per_device_train_batch_size`: )\d+", r"\g<1>2", where=IN_BATCH.pattern)),
    CardFault("card: loss at chance", column_of_log(
        "Training Loss", lambda number, _: f"{2.77 - 0.004 * (number % 3):.4f}",
        where=r"- loss:MultipleNegativesRankingLoss[\s\S]*Columns: <code>\w+</code> and <code>\w+</code>[\s\S]*per_device_train_batch_size`: 16")),
    CardFault("card: loss is no number", column_of_log("Training Loss", lambda *_: "nan")),
    CardFault("card: loss stood still", column_of_log(
        "Training Loss", lambda number, _: f"{2.1 + 0.003 * ((number * 7) % 5 - 2):.4f}")),
    CardFault("card: loss at its margin", column_of_log(
        "Training Loss", lambda number, _: f"{0.3 + 0.001 * (number % 3):.4f}",
        where=r'"triplet_margin": 0\.3')),
    CardFault("card: loss is zero", column_of_log(
        "Training Loss", lambda *_: "0.0", where=r"- loss:(?:TripletLoss|BatchHardTripletLoss|.*ContrastiveLoss)")),
    CardFault("card: score is no number", _both(
        column_of_log(r".*(?:spearman|accuracy|ndcg|ap).*", lambda *_: "nan", where=_TRAINED),
        _optional(scores_set(_ANY_METRIC, ".nan")))),
    CardFault("card: scores contradict", _both(
        scores_set(r"cosine_accuracy@1", "0.93", where=r"cosine_accuracy@10"), scores_set(r"cosine_accuracy@10", "0.61"))),
    CardFault("card: evaluation at its ceiling", _both(
        column_of_log(r"(?!Epoch|Step|Training Loss).*", lambda *_: "1.0", where=_TRAINED), scores_set(_ANY_METRIC, "1.0"))),
    CardFault("card: metric twice", _metric_twice),
    CardFault("card: best lost", _lower_claims),
    CardFault("card: below chance", _either(
        _both(scores_set("pearson_cosine|spearman_cosine", "-0.2"),
              _optional(column_of_log(".*(?:spearman|pearson)_cosine", lambda *_: "-0.2"))),
        _both(scores_set("cosine_accuracy", "0.2"),
              _optional(column_of_log(".*cosine_accuracy", lambda *_: "0.2"))))),
    CardFault("card: score out of range", scores_set(
        "spearman_cosine|cosine_accuracy|cosine_ndcg@10", "1.0836")),
    CardFault("card: scores in percent", _in_percent),
    CardFault("card: no evaluation", _without_evaluation),
    CardFault("card: two losses", replaced(
        r"^- loss:(?!Matryoshka)\w+$", "- loss:TripletLoss\n- loss:MSELoss", where=r"- loss:(?!TripletLoss|Matryoshka)")),
    CardFault("card: schedule too long", replaced(
        r"(- `num_train_epochs`: )\d+", r"\g<1>50", where=_TRAINED)),
    CardFault("card: template", cells_changed(
        lambda number, cells: [_TEMPLATES[(number + place) % 4] if not _number(cell) else cell for place, cell in enumerate(cells)])),
    CardFault("card: HTML", cells_changed(
        lambda number, cells: [_HTML[(number + place) % 3].format(cell) if not _number(cell) else cell for place, cell in enumerate(cells)])),
    CardFault("card: anchor is positive", lambda text: cells_changed(
        lambda _, cells: [cells[0], cells[0], *cells[2:]] if not _number(cells[1]) else cells)(text) if re.search(_PAIRS, text) else None),
    CardFault("card: mojibake", cells_changed(
        lambda _, cells: [f"It’s {cell} – café".encode().decode("cp1252") if not _number(cell) else cell for cell in cells])),
    CardFault("card: PDF debris", cells_changed(
        lambda number, cells: [f"{cell} (cid:{number + 3}) infor- mation" if not _number(cell) else cell for cell in cells])),
    CardFault("card: records", replaced(r"^(  \| type +\| )string", r"\g<1>dict")),
    CardFault("card: negative before positive", _both(
        replaced("<code>anchor</code>, <code>positive</code>, and <code>negative</code>",
                 "<code>anchor</code>, <code>negative</code>, and <code>positive</code>"),
        replaced(r"\| anchor( *)\| positive( *)\| negative", r"| anchor\1| negative\2| positive"))),
    CardFault("card: no prefix", replaced(
        r"^library_name: ", "base_model: intfloat/e5-base-v2\nlibrary_name: ", where=r"- dataset_size")),
    CardFault("card: texts cut", replaced(
        r"<li>max: \d+ tokens</li>", "<li>max: 96 tokens</li>", where="Maximum Sequence Length:.* 96 tokens")),
)  # fmt: skip
"""All faults of cards."""
