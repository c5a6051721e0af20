"""Compare harness with its peers on one suite: interleaved rounds, one process each, the same scores.

python -m benchmarks.peers                    # the whole suite
python -m benchmarks.peers --what encode      # encoding alone
python -m benchmarks.peers --what start       # what comes before the first text
python -m benchmarks.peers --quick            # the first rows only, to try it: no figures to quote
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import rounds, suite
from benchmarks.child import ROOT, Child, environment_of
from benchmarks.rounds import Claim, Ratio, Ready, Round, Variant

BF16 = "bfloat16"
DEFAULT_BATCH = 32
VARIANTS = {
    "suite": (
        Variant("harness", "harness"),
        Variant("harness-plain", "harness", backend="plain"),
        Variant("st", "st"),
        Variant("mteb", "mteb"),
        Variant("harness-bf16", "harness", BF16),
        Variant("st-bf16", "st", BF16),
        Variant("mteb-bf16", "mteb", BF16),
    ),
    "encode": (
        Variant("packed", "harness", backend="packed"),
        Variant("batched", "harness", backend="batched"),
        Variant("plain", "harness", backend="plain"),
        Variant("st", "st"),
        Variant("packed-bf16", "harness", BF16, backend="packed"),
        Variant("st-bf16", "st", BF16),
    ),
}
AS_INSTALLED = (
    Variant("st-as-installed", "st", passive=False, batch_size=DEFAULT_BATCH),
    Variant("mteb-as-installed", "mteb", passive=False, batch_size=DEFAULT_BATCH),
)
CLAIMS = (
    Claim("harness", "mteb", 1.7),
    Claim("harness", "st", 1.6),
    Claim("harness-bf16", "mteb-bf16", 2.3),
    Claim("harness-bf16", "mteb", 5.5),
    Claim("harness-bf16", "st-bf16"),
    Claim("harness-plain", "st"),
    Claim("harness-plain", "mteb"),
    Claim("harness", "harness-plain"),
    Claim("harness-bf16", "harness"),
    Claim("harness", "st-as-installed"),
    Claim("harness", "mteb-as-installed"),
    Claim("packed", "st"),
    Claim("packed", "plain"),
    Claim("packed", "batched"),
    Claim("batched", "st"),
    Claim("plain", "st"),
    Claim("packed-bf16", "st-bf16"),
    Claim("packed-bf16", "packed"),
)
"""`harness-plain` is ST's own encode with each text once: its ratios are what deduplication alone gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One variant: what it ran with, and each of its rounds."""

    variant: Variant
    ready: Ready
    warm_up: Round
    rounds: list[Round] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The content of a result file."""

    what: str
    quick: bool
    """True: first rows only, for trying; no figure of it means anything."""
    environment: dict[str, Any]
    amx: bool
    """Whether the processor multiplies bfloat16 matrices in hardware."""
    texts: int
    distinct: int
    digest: str
    measured: list[Measured] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    not_encoding: dict[str, float] = field(default_factory=dict)
    """Harness variant → median share of a round that is neither reading rows nor encoding."""
    disagreements: list[str] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)
    """Of `start`: stage → seconds, of each process."""


def main() -> None:
    """Measure, print Markdown, and write every raw second; exit 1 where the scores of tools differ."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    given = _arguments()
    built = suite.default_folder(given.quick)
    rows, _ = suite.build(given.data, built, quick=given.quick)
    about = {"what": given.what, "quick": given.quick, "environment": _environment(), "amx": _amx()}
    about |= {"texts": len(rows.texts()), "distinct": len(rows.distinct()), "digest": rows.digest}
    if given.what == "start":
        report = Report(**about, stages=[_stages() for _ in range(given.rounds)])
    else:
        report = Report(**about, **_measure(given, built))
    text = markdown(report)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    print(text)
    sys.exit(1 if report.disagreements else 0)


def chosen(what: str, names: str | None, *, as_installed: bool) -> list[Variant]:
    """Return the variants of a measurement, or those of them that are named; raises SystemExit for others."""
    found = [*VARIANTS[what], *(AS_INSTALLED if as_installed else ())]
    if names is None:
        return found
    wanted = names.split(",")
    unknown = sorted(set(wanted) - {variant.name for variant in found})
    if unknown:
        known = ", ".join(variant.name for variant in found)
        raise SystemExit(f"no variant {', '.join(unknown)}; there are: {known}")
    return [variant for variant in found if variant.name in wanted]


def markdown(report: Report) -> str:
    """What a reader wants of a report, as tables."""
    head = f"{report.texts} texts, {report.distinct} distinct; {report.environment['processor']}"
    lines = [f"{head}, {report.environment['cores']} cores", ""]
    if report.quick:
        lines += ["**Quick: the first rows only. No figure below means anything.**", ""]
    if report.stages:
        return "\n".join([*lines, _stages_table(report.stages)])
    seconds = {one.variant.name: [turn.seconds for turn in one.rounds] for one in report.measured}
    lines += [rounds.timings_table(seconds), "", rounds.ratios_table(report.ratios), ""]
    for name, share in report.not_encoding.items():
        lines.append(f"{name}: scoring, intervals and files take {share:.1%} of a round.")
    for one in report.measured:
        scores = ", ".join(f"{name} {score:.6f}" for name, score in one.warm_up.scores.items())
        lines.append(f"{one.variant.name}: {_setting(one.ready)}{'; ' if scores else ''}{scores}")
    return "\n".join([*lines, *(f"DISAGREE {sentence}" for sentence in report.disagreements)])


def _measure(given: argparse.Namespace, built: Path) -> dict[str, Any]:
    """Load all variants, let each warm up by a round that does not count, then take them in turn."""
    variants = chosen(given.what, given.variants, as_installed=given.as_installed)
    model = _model_folder()
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(Child(variant)) for variant in variants]
        measured = {}
        for child in children:
            _say(f"loading {child.variant.name}")
            ready = child.start(built, model)
            _say(f"warming up {child.variant.name}: {_setting(ready)}")
            warm_up = child.run(given.what)
            measured[child.variant.name] = Measured(variant=child.variant, ready=ready, warm_up=warm_up)
        for turn in range(given.rounds):
            for child in rounds.order(children, turn):
                found = child.run(given.what)
                _say(f"round {turn + 1} of {given.rounds}, {child.variant.name}: {found.seconds:.2f} s")
                measured[child.variant.name].rounds.append(found)
    return concluded(list(measured.values()))


def concluded(measured: list[Measured]) -> dict[str, Any]:
    """What follows from the rounds: fields of a report."""
    seconds = {one.variant.name: [turn.seconds for turn in one.rounds] for one in measured}
    exact = {
        f"{one.variant.name} (round {number})": turn.scores
        for one in measured
        for number, turn in enumerate([one.warm_up, *one.rounds])
        if one.variant.dtype == "float32" and turn.scores
    }
    return {
        "measured": measured,
        "ratios": rounds.ratios(CLAIMS, seconds),
        "not_encoding": {
            one.variant.name: rounds.not_encoding(one.rounds) for one in measured if one.warm_up.parts
        },
        "disagreements": rounds.disagreements(exact),
    }


def _stages() -> dict[str, float]:
    """Run `benchmarks.start` in a fresh process, as harness runs."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.start"],
        cwd=ROOT,
        env=environment_of(Variant("start", "harness")),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    _say(f"a start: {sum(found.values()):.1f} s")
    return found


def _stages_table(stages: list[dict[str, float]]) -> str:
    lines = ["| stage | seconds, median | range |", "|---|--:|--:|"]
    for name in stages[0]:
        times = [one[name] for one in stages]
        lines.append(f"| {name} | {statistics.median(times):.2f} | {min(times):.2f} – {max(times):.2f} |")
    return "\n".join(lines)


def _setting(ready: Ready) -> str:
    batch = "" if ready.batch_size is None else f", batches of {ready.batch_size}"
    return f"{ready.backend}, threads {ready.threads}{batch}"


def _model_folder() -> Path:
    from harness.models.locate import locate_model, parse_model
    from harness.plugins.loader import load_plugins

    schemes = load_plugins().model_schemes()
    # What the scheme `minilm` finds is a folder.
    folder: Path = locate_model(parse_model("minilm", schemes), schemes).folder  # type: ignore[attr-defined]
    return folder


def _environment() -> dict[str, Any]:
    from harness.system.environment import current_environment

    return asdict(current_environment(dt.datetime.now(dt.UTC).isoformat(timespec="seconds")))


def _amx() -> bool:
    info = Path("/proc/cpuinfo")
    return info.exists() and "amx_bf16" in info.read_text()


def _say(sentence: str) -> None:
    load = f" (load {os.getloadavg()[0]:.1f})" if hasattr(os, "getloadavg") else ""
    print(f"{sentence}{load}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare harness with its peers on one suite.")
    parser.add_argument("--what", choices=("suite", "encode", "start"), default="suite")
    parser.add_argument("--data", type=Path, default=suite.DATA, help="folder with the real data")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one that does not")
    parser.add_argument("--variants", help="only these, separated by commas")
    parser.add_argument("--as-installed", action="store_true", help="also peers without the wait policy")
    parser.add_argument("--quick", action="store_true", help="the first rows only: to try it")
    parser.add_argument("--out", type=Path, help="file for every raw second, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
