"""What encoding and searching cost by size, and how well small sizes predict large ones.

    python -m benchmarks.cost --data ../shared/data --out benchmarks/results/cost.json
    python -m benchmarks.cost --write       # the figures of docs/cluster.md; a test holds them there

Each measurement is a process of its own on one core. The file is written after each, and what it has already
is not measured again: sizes may be measured one by one (`--only search-1000000`), when the machine is quiet.
Processor seconds are noted beside seconds: other processes move them less.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cost.pages import BENCH, PAGE, RESULT, written
from benchmarks.cost.tiny import write_tiny_model
from harness.system.environment import current_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
TEXTS = 1000, 3000, 10_000, 30_000
"""Texts that `minilm` encodes."""
TINY_TEXTS = 10_000, 100_000, 1_000_000
"""Texts that the tiny model encodes."""
DOCUMENTS = 1000, 10_000, 100_000, 1_000_000
"""Documents that are searched for 1,000 queries at 384 dimensions."""
WIDTHS = 96, 768
"""Further dimensions at which 100,000 documents are searched."""
ROUNDS = 3
"""Repetitions of what takes seconds: of searches, and of workers side by side."""
_SIDE_BY_SIDE = 1000
"""Texts of each worker where two encode at the same time."""


def measurements(data: Path) -> dict[str, list[str]]:
    """Return the words of every measurement but workers side by side, by name."""
    real = ["encode", "--data", str(data), "--core", "0"]
    named = {f"encode-{count}": [*real, "--texts", str(count)] for count in TEXTS}
    named |= {f"tiny-{count}": ["encode", "--core", "0", "--texts", str(count)] for count in TINY_TEXTS}
    for width, counts in ((384, DOCUMENTS), *((width, (100_000,)) for width in WIDTHS)):
        for count in counts:
            name = f"search-{count}" + (f"-{width}" if width != 384 else "")
            words = ["search", "--core", "0", "--documents", str(count), "--dimensions", str(width)]
            named[name] = words
    return named


def measure(words: Sequence[str]) -> dict[str, Any]:
    """Measure in a fresh process; raises CalledProcessError where that fails."""
    return _answer(_start(words))


def side_by_side(data: Path) -> dict[str, Any]:
    """Return the seconds of one worker alone, and of two at the same time, each on a core of its own."""
    alone, both = [], []
    words = ["encode", "--data", str(data), "--texts", str(_SIDE_BY_SIDE)]
    for turn in range(ROUNDS):
        alone.append(measure([*words, "--core", str(turn % 2)]))
        with tempfile.TemporaryDirectory() as folder:
            meet = ["--meet", folder, "--together", "2"]
            started = [_start([*words, *meet, "--core", str(core)]) for core in range(2)]
            both.append([_answer(process) for process in started])
    return {"alone": alone, "both": both}


def _start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-m", "benchmarks.cost.measure", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)


def _answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    said, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    answer: dict[str, Any] = json.loads(said)
    return answer


def bench_of(data: Path, model: str, folder: Path) -> dict[str, Any]:
    """Return the record of `harness bench` on 256 of the texts, on one core: what `harness plan` reads."""
    from benchmarks.cost.texts import real_texts

    (folder / "texts").write_text("\n".join(" ".join(text.split()) for text in real_texts(data, 256)))
    words = ["bench", "--model", model, "--threads", "1x1"]
    words += [word for name in (str(folder / "texts"), "short", "documents") for word in ("--workload", name)]
    command = ["taskset", "-c", "0", sys.executable, "-m", "harness", *words, "--budget", "60", "--json"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    ended = subprocess.run(
        [*command, "--out", str(folder / "out")],
        check=True,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=folder,
    )
    record: dict[str, Any] = json.loads(ended.stdout)
    # Descriptions of other processes: they are nobody else's business.
    return record | {"competitors": []}


def run(options: argparse.Namespace) -> None:
    """Measure what the result file does not have, writing it after each."""
    found: dict[str, Any] = json.loads(options.out.read_bytes()) if options.out.is_file() else {}
    started = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    here = asdict(current_environment(started))
    found.setdefault("environment", here | {"command": ["python", "-m", "benchmarks.cost"]})
    with tempfile.TemporaryDirectory() as folder:
        tiny = write_tiny_model(Path(folder))
        jobs: dict[str, Any] = {}
        for name, words in measurements(options.data).items():
            model = ["--model", str(tiny)] if name.startswith("tiny-") else []
            rounds = ROUNDS if name.startswith("search-") else 1
            jobs[name] = lambda words=words, model=model, rounds=rounds: [
                measure([*words, *model]) for _ in range(rounds)
            ]
        jobs["side-by-side"] = lambda: side_by_side(options.data)
        for name, job in jobs.items():
            if name in found or (options.only and name not in options.only):
                continue
            found[name] = job()
            print(f"{name}: {json.dumps(found[name])[:200]}", file=sys.stderr)
            _write(options.out, found)
        if not options.bench.is_file() and (not options.only or "bench" in options.only):
            _write(options.bench, bench_of(options.data, "minilm", Path(folder)))


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="real data")
    parser.add_argument("--out", type=Path, default=RESULT, metavar="FILE")
    parser.add_argument("--bench", type=Path, default=BENCH, metavar="FILE", help="record of the bench")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="measurements to make; all if not given")
    parser.add_argument(
        "--write", action="store_true", help="write the page from the results; measures nothing"
    )
    options = parser.parse_args()
    if options.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    options.data, options.out, options.bench = (
        path.resolve() for path in (options.data, options.out, options.bench)
    )
    run(options)


if __name__ == "__main__":
    main()
