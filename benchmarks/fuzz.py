"""Fuzz everything that reads files or arguments with thousands of hostile inputs; exit code 1 for findings.

    python -m benchmarks.fuzz --inputs 20000 --seed 1
    python -m benchmarks.fuzz build/fuzz/1-4711.json    # that input again; or one of tests/fuzzing/corpus

Input number i of a seed is always the same bytes (for the same version of this code and of pyarrow, which
writes some of what is mutated). Processes take the numbers in turn; each input runs in an empty folder, under
an alarm. A process that dies or hangs is a finding too, and another one continues after that input. Findings
are written to `--out`, one file per input, from which it can be replayed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from fuzzing.inputs import Input, drawn  # noqa: E402 - it lies among the tests
from fuzzing.oracle import LIMIT, Verdict, judge  # noqa: E402 - likewise
from fuzzing.targets import TARGETS, by_name  # noqa: E402 - likewise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SILENCE = 6 * LIMIT
"""Maximum seconds that a process may take to answer: then it hangs and ignores its alarm."""
STARTING = 120.0
"""Maximum seconds to the first answer of a process: it first builds what is mutated."""
MEMORY = 12 << 30
"""Maximum bytes of address space: an input that needs more gets a MemoryError, which is a finding."""


@dataclass
class Tally:
    """Outcomes of a target's inputs."""

    accepted: int = 0
    refused: int = 0
    finding: int = 0
    slowest: float = 0.0
    number: int = -1
    """The input that took longest."""

    def add(self, number: int, verdict: Verdict) -> None:
        """Count an input."""
        setattr(self, verdict.outcome, getattr(self, verdict.outcome) + 1)
        if verdict.seconds > self.slowest:
            self.slowest, self.number = verdict.seconds, number


@dataclass
class Worker:
    """A process, and the numbers of inputs that are left to it."""

    numbers: list[int]
    seed: int
    process: Any = None
    answers: Any = None
    heard: float = 0.0
    ready: bool = False
    """Whether it has built what it mutates."""

    def start(self) -> None:
        """Start a process on the remaining numbers."""
        context = multiprocessing.get_context("spawn")
        self.answers, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=work, args=(self.numbers, self.seed, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.heard, self.ready = time.monotonic(), False

    def answer(self) -> Verdict | None:
        """Return the verdict on the next number; None where it is not known yet."""
        try:
            while self.answers.poll():
                verdict: Verdict | None = self.answers.recv()
                self.heard = time.monotonic()
                if verdict is not None:
                    return verdict
                self.ready = True
        except EOFError:
            return self._ended(f"the process died ({self._code()})")
        if time.monotonic() - self.heard > (SILENCE if self.ready else STARTING):
            return self._ended("hangs where no alarm is heard")
        return None

    def _code(self) -> int | None:
        self.process.join(5)
        code: int | None = self.process.exitcode
        return code

    def _ended(self, why: str) -> Verdict:
        """Blame the input that the process was at, and continue with the next one."""
        seconds = time.monotonic() - self.heard
        if not self.ready:
            raise SystemExit(f"a process cannot start: {why}")
        self.process.kill()
        self.process.join()
        self.answers.close()
        del self.numbers[0]
        self.start()
        return Verdict("finding", seconds, why, why)


def work(numbers: Sequence[int], seed: int, answers: connection.Connection) -> None:
    """Judge inputs one after the other, and send the verdict on each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.environ["HARNESS_CACHE"] = str(folder / "sandbox" / "cache")
    try:
        warm_up(folder / "sandbox")
        answers.send(None)
        for number in numbers:
            drawn_input = drawn(seed, number, TARGETS)
            answers.send(judge(by_name(drawn_input.target), drawn_input, folder / "sandbox"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def warm_up(sandbox: Path) -> None:
    """Give every target a valid input: imports do not count in the time of later inputs."""
    for target in TARGETS:
        judge(target, Input(target.name, target.seeds()[0]), sandbox, limit=STARTING)


def verdicts(inputs: int, seed: int, processes: int) -> Iterator[tuple[int, Verdict]]:
    """Yield number and verdict of every input, as they arrive."""
    workers = [Worker(list(range(first, inputs, processes)), seed) for first in range(processes)]
    for worker in workers:
        worker.start()
    while busy := [worker for worker in workers if worker.numbers]:
        connection.wait([worker.answers for worker in busy], timeout=1)
        for worker in busy:
            while worker.numbers:
                number, left = worker.numbers[0], len(worker.numbers)
                if (verdict := worker.answer()) is None:
                    break
                if len(worker.numbers) == left:
                    del worker.numbers[0]
                yield number, verdict
    for worker in workers:
        worker.process.join()


def fuzz(options: argparse.Namespace) -> int:
    """Run all inputs, write findings, print a table; return the number of findings."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    kinds: dict[str, list[int]] = defaultdict(list)
    begun = time.monotonic()
    for done, (number, verdict) in enumerate(verdicts(options.inputs, options.seed, options.processes), 1):
        target = drawn(options.seed, number, TARGETS).target if verdict.outcome == "finding" else None
        tallies[_target(options.seed, number)].add(number, verdict)
        if target is not None:
            kinds[f"{target}: {verdict.what}"].append(number)
            keep(options, number, verdict)
        if done % 1000 == 0:
            findings = sum(map(len, kinds.values()))
            print(
                f"{done} inputs, {findings} findings, {time.monotonic() - begun:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    print(report(tallies, kinds, time.monotonic() - begun))
    return sum(map(len, kinds.values()))


def _target(seed: int, number: int) -> str:
    """Return the target of an input, without drawing the rest of it."""
    import random

    chance = random.Random(f"{seed}/{number}")
    return chance.choices(TARGETS, weights=[target.share for target in TARGETS])[0].name


def keep(options: argparse.Namespace, number: int, verdict: Verdict) -> None:
    """Write the input of a finding, and its effect."""
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"{options.seed}-{number}"
    stem.with_suffix(".json").write_text(drawn(options.seed, number, TARGETS).to_json(), encoding="utf-8")
    stem.with_suffix(".txt").write_text(
        f"{verdict.what}\n\n{verdict.told}", encoding="utf-8", errors="replace"
    )


def report(tallies: dict[str, Tally], kinds: dict[str, list[int]], seconds: float) -> str:
    """Return a table by target, and every kind of finding with its inputs."""
    lines = ["| target | inputs | accepted | refused | findings | slowest, ms |", "|---|--:|--:|--:|--:|--:|"]
    whole = Tally()
    for name in sorted(tallies):
        tally = tallies[name]
        lines.append(_row(name, tally))
        whole = Tally(
            whole.accepted + tally.accepted, whole.refused + tally.refused, whole.finding + tally.finding,
            max(whole.slowest, tally.slowest),
        )  # fmt: skip
    lines.append(_row("**all**", whole))
    lines.append(f"\n{seconds:.0f} s")
    for kind, numbers in sorted(kinds.items(), key=lambda item: -len(item[1])):
        lines.append(f"FINDING {len(numbers)} × {kind}: {', '.join(map(str, numbers[:5]))}")
    return "\n".join(lines)


def _row(name: str, tally: Tally) -> str:
    inputs = tally.accepted + tally.refused + tally.finding
    counts = f"{inputs} | {tally.accepted} | {tally.refused} | {tally.finding}"
    return f"| {name} | {counts} | {tally.slowest * 1000:.0f} |"


def replay(file: Path) -> int:
    """Run one input again, in this process; return 1 where it is a finding."""
    replayed = Input.from_json(file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        verdict = judge(by_name(replayed.target), replayed, Path(folder) / "sandbox")
    print(f"{replayed.target}: {verdict.outcome} {verdict.what}\n{verdict.told}")
    return int(verdict.outcome == "finding")


def main() -> None:
    """Read the options; exit 1 for findings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    parser.add_argument("replay", nargs="?", type=Path, metavar="FILE.json", help="run one input again")
    parser.add_argument("--show", type=int, metavar="NUMBER", help="print an input of the seed, as JSON")
    options = parser.parse_args()
    if options.show is not None:
        print(drawn(options.seed, options.show, TARGETS).to_json())
    elif options.replay is not None:
        sys.exit(replay(options.replay))
    else:
        sys.exit(int(fuzz(options) > 0))


if __name__ == "__main__":
    main()
