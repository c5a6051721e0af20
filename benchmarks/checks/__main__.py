"""What do the checks find of seeded faults, and what do they claim wrongly?

    python -m benchmarks.checks --out benchmarks/results/checks.json && python -m benchmarks.checks.pages
    python -m benchmarks.checks --faults 'labels*' --half thresholds --show    # while writing a check
    python -m benchmarks.checks --list

A finding is right if `consequences.py` says that it names the seeded fault, or follows from it. Without the
folder of the real data (--data), only the generated sets and our samples are asked about, and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.checks.base import BriefBase
from benchmarks.checks.cards.read import ask_cards, cards
from benchmarks.checks.consequences import is_right
from benchmarks.checks.dataset import HALVES, DataSet
from benchmarks.checks.faults import FAULTS, takers
from benchmarks.checks.measure import CLEAN, Answer, Asker, ask_clean, ask_faults, read_answers
from benchmarks.checks.sources import SOURCES, read_all
from benchmarks.checks.tally import tally, totals, without_true
from harness.results.folder import encode
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def main() -> None:
    """Ask the checks, and write what they found."""
    options = _options()
    datasets = list(read_all(options.data if options.data.is_dir() else None))
    missing = sorted({source.name for source in SOURCES} - {dataset.name for dataset in datasets})
    print(f"{len(datasets)} data sets; without --data left out: {', '.join(missing) or 'none'}", flush=True)
    if options.list:
        for fault in FAULTS:
            halves = Counter(dataset.half for dataset in takers(fault, datasets))
            print(f"{fault.name} ({fault.about}): {dict(halves)}, shares {fault.shares}")
        return
    answers = list({_key(answer): answer for file in options.known for answer in read_answers(file)}.values())
    if not options.known:
        answers = _ask(datasets, options)
    for half in HALVES:
        print(half, totals([without_true(answer) for answer in answers if answer.half == half]))
    if options.out:
        content = {
            "sets": [_described(dataset) for dataset in datasets],
            "left_out": missing,
            "cards": len(cards()),
            "asked": len(answers),
            "whole": not options.known and _asks_everything(options),
            **tally(answers),
        }
        write_output(options.out, encode(content))


def _asks_everything(options: argparse.Namespace) -> bool:
    every = set(options.what.split(",")) == {"cards", "clean", "faults"} and options.faults == "*"
    return every and set(options.half.split(",")) == set(HALVES)


def _ask(datasets: Sequence[DataSet], options: argparse.Namespace) -> list[Answer]:
    """Return all answers; each is also written at once, to the file that the options name."""
    base = BriefBase(cache=options.cache)
    chosen = [one for one in datasets if one.half in options.half.split(",")]
    answers: list[Answer] = []
    path = Path(options.answers or os.devnull)
    known = read_answers(path) if path.is_file() else []
    asker = Asker(base, known=known)
    written = {_key(answer) for answer in known}
    with path.open("a", encoding="utf-8") as file:
        for answer in _answers(asker, chosen, options):
            answers.append(answer)
            if _key(answer) not in written:
                file.write(json.dumps(asdict(answer)) + "\n")
                file.flush()
            _say(answer, show=options.show)
            base.keep()
    base.keep(last=True)
    return answers


def _key(answer: Answer) -> tuple[str, str, float, str]:
    return answer.subject, answer.fault, answer.share, answer.how


def _answers(asker: Asker, datasets: Sequence[DataSet], options: argparse.Namespace) -> Iterator[Answer]:
    patterns = options.faults.split(",")
    faults = [fault for fault in FAULTS if any(fnmatchcase(fault.name, each) for each in patterns)]
    if "cards" in options.what:
        yield from (answer for answer in ask_cards(asker) if answer.half in options.half.split(","))
    if "clean" in options.what:
        yield from ask_clean(asker, datasets)
    if "faults" in options.what:
        yield from ask_faults(asker, datasets, faults)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--what", default="cards,clean,faults", help="which of cards, clean and faults")
    parser.add_argument("--faults", default="*", help="patterns of names, separated by commas")
    parser.add_argument("--half", default=",".join(HALVES), help="thresholds, reported, or both")
    parser.add_argument("--cache", type=Path, help="file that keeps embeddings for later runs")
    parser.add_argument(
        "--answers", type=Path, help="file of answers, one a line: those in it are not asked again"
    )
    parser.add_argument("--known", type=Path, nargs="*", default=[], help="count these answers; ask nothing")
    parser.add_argument("--show", action="store_true", help="print false findings, and faults not found")
    parser.add_argument("--list", action="store_true", help="print the faults and their data sets")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _described(dataset: DataSet) -> dict[str, object]:
    return {
        "name": dataset.name, "half": dataset.half, "kind": dataset.kind, "rows": len(dataset.rows),
        "loss": dataset.loss.name,
    }  # fmt: skip


def _say(answer: Answer, *, show: bool) -> None:
    answer = without_true(answer)
    right = [code for code, _ in answer.findings if is_right(code, answer.fault)]
    false = [
        f"{severity} {code}: {evidence[:300]}"
        for (code, severity), evidence in zip(answer.findings, answer.evidence, strict=True)
        if code not in right
    ]
    if show and (false or (answer.fault != CLEAN and not right)):
        found = ", ".join(right) or "nothing"
        where = f"{answer.subject} ({answer.how}, {answer.half}), {answer.fault} {answer.share:.0%}"
        print(f"{where}: {found}", *(f"    FALSE {line}" for line in false), sep="\n", flush=True)


if __name__ == "__main__":
    main()
