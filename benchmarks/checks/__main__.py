"""What do the checks find of seeded faults, and what do they claim wrongly?

    python -m benchmarks.checks --out benchmarks/results/checks.json
    python -m benchmarks.checks --faults 'labels*' --half thresholds --show    # while writing a check
    python -m benchmarks.checks --list

A finding is right if `consequences.py` says that it names the seeded fault, or follows from it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.checks.base import BriefBase
from benchmarks.checks.consequences import is_right
from benchmarks.checks.dataset import HALVES
from benchmarks.checks.faults import FAULTS, takers
from benchmarks.checks.measure import CLEAN, Answer, Asker, ask_clean, ask_faults
from benchmarks.checks.sources import SOURCES, read_all


def main() -> None:
    """Ask the checks, and write what they found."""
    options = _options()
    datasets = list(read_all(options.data if options.data.is_dir() else None))
    missing = {source.name for source in SOURCES} - {dataset.name for dataset in datasets}
    if options.list:
        for fault in FAULTS:
            halves = Counter(dataset.half for dataset in takers(fault, datasets))
            print(f"{fault.name} ({fault.about}): {dict(halves)}, shares {fault.shares}")
    print(f"{len(datasets)} data sets; without --data left out: {', '.join(sorted(missing)) or 'none'}")
    if options.list:
        return
    datasets = [one for one in datasets if one.half in options.half.split(",")]
    faults = [fault for fault in FAULTS if fnmatchcase(fault.name, options.faults)]
    base = BriefBase(cache=options.cache)
    asker = Asker(base)
    try:
        for answer in ask_clean(asker, datasets):
            _say(answer, options)
        for answer in ask_faults(asker, datasets, faults):
            _say(answer, options)
    finally:
        base.save()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--faults", default="*", help="pattern of names")
    parser.add_argument("--half", default=",".join(HALVES), help="thresholds, reported, or both")
    parser.add_argument("--cache", type=Path, help="file that keeps embeddings for later runs")
    parser.add_argument(
        "--show", action="store_true", help="print false findings and faults without a right one"
    )
    parser.add_argument("--list", action="store_true", help="print the faults and their data sets")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _say(answer: Answer, options: argparse.Namespace) -> None:
    right = [code for code, _ in answer.findings if is_right(code, answer.fault)]
    false = [
        f"{severity} {code}: {evidence[:300]}"
        for (code, severity), evidence in zip(answer.findings, answer.evidence, strict=True)
        if code not in right
    ]
    if options.show and (false or (answer.fault != CLEAN and not right)):
        found = ", ".join(right) or "nothing"
        print(
            f"{answer.subject} ({answer.how}, {answer.half}), {answer.fault} {answer.share:.0%}: {found}",
            flush=True,
        )
        for line in false:
            print(f"    FALSE {line}", flush=True)


if __name__ == "__main__":
    main()
