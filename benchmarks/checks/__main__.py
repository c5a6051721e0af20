"""What do the checks find of seeded faults, and what do they claim wrongly?

python -m benchmarks.checks --list --data ../shared/data
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from benchmarks.checks.faults import FAULTS, takers
from benchmarks.checks.sources import SOURCES, read_all


def main() -> None:
    """List data sets and faults."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    options = parser.parse_args()
    datasets = list(read_all(options.data if options.data.is_dir() else None))
    for dataset in datasets:
        print(f"{dataset.name}: {len(dataset.rows)} {dataset.kind} for {dataset.loss.name}, {dataset.half}")
    missing = {source.name for source in SOURCES} - {dataset.name for dataset in datasets}
    print(f"{len(datasets)} data sets; without --data left out: {', '.join(sorted(missing)) or 'none'}")
    for fault in FAULTS:
        halves = Counter(dataset.half for dataset in takers(fault, datasets))
        print(f"{fault.name} ({fault.about}): {dict(halves)}, shares {fault.shares}")


if __name__ == "__main__":
    main()
