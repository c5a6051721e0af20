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
    """One variant: its settings, and each of its rounds."""

    variant: Variant
    ready: Ready
    warm_up: Round
    rounds: list[Round] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The content of a result file."""

    what: str
    quick: bool
    """True for the first rows only, as a trial; no figure of it means anything."""
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
    options = _parse_options()
    built = suite.default_folder(options.quick)
    rows, _ = suite.build(options.data, built, quick=options.quick)
    about = {"what": options.what, "quick": options.quick, "environment": _environment(), "amx": _amx()}
    about |= {"texts": len(rows.texts()), "distinct": len(rows.distinct()), "digest": rows.digest}
    if options.what == "start":
        report = Report(**about, stages=[_stages() for _ in range(options.rounds)])
    else:
        report = Report(**about, **_measure(options, built))
    text = markdown(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    print(text)
    sys.exit(1 if report.disagreements else 0)


def select_variants(what: str, names: str | None, *, as_installed: bool) -> list[Variant]:
    """Return the variants of a measurement, or those that are named; raises SystemExit for unknown names."""
    variants = [*VARIANTS[what], *(AS_INSTALLED if as_installed else ())]
    if names is None:
        return variants
    wanted = names.split(",")
    unknown = sorted(set(wanted) - {variant.name for variant in variants})
    if unknown:
        known = ", ".join(variant.name for variant in variants)
        raise SystemExit(f"no variant {', '.join(unknown)}; there are: {known}")
    return [variant for variant in variants if variant.name in wanted]


def markdown(report: Report) -> str:
    """Return the main figures of a report as tables."""
    head = f"{report.texts} texts, {report.distinct} distinct; {report.environment['processor']}"
    lines = [f"{head}, {report.environment['cores']} cores", ""]
    if report.quick:
        lines += ["**Quick: the first rows only. No figure below means anything.**", ""]
    if report.stages:
        return "\n".join([*lines, _stages_table(report.stages)])
    seconds = {result.variant.name: [turn.seconds for turn in result.rounds] for result in report.measured}
    lines += [rounds.timings_table(seconds), "", rounds.ratios_table(report.ratios), ""]
    for name, share in report.not_encoding.items():
        lines.append(f"{name}: scoring, intervals and files take {share:.1%} of a round.")
    for result in report.measured:
        scores = ", ".join(f"{name} {score:.6f}" for name, score in result.warm_up.scores.items())
        lines.append(f"{result.variant.name}: {_setting(result.ready)}{'; ' if scores else ''}{scores}")
    return "\n".join([*lines, *(f"DISAGREE {sentence}" for sentence in report.disagreements)])


def _measure(options: argparse.Namespace, built: Path) -> dict[str, Any]:
    """Load all variants, run one round of each that does not count, then run them in turn."""
    variants = select_variants(options.what, options.variants, as_installed=options.as_installed)
    model = _model_folder()
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(Child(variant)) for variant in variants]
        measured = {}
        for child in children:
            _say(f"loading {child.variant.name}")
            ready = child.start(built, model)
            _say(f"warming up {child.variant.name}: {_setting(ready)}")
            warm_up = child.run(options.what)
            measured[child.variant.name] = Measured(variant=child.variant, ready=ready, warm_up=warm_up)
        for turn in range(options.rounds):
            for child in rounds.order(children, turn):
                turn_result = child.run(options.what)
                _say(
                    f"round {turn + 1} of {options.rounds}, {child.variant.name}: {turn_result.seconds:.2f} s"
                )
                measured[child.variant.name].rounds.append(turn_result)
    return summarize(list(measured.values()))


def summarize(measured: list[Measured]) -> dict[str, Any]:
    """Return the fields of a report that follow from the rounds."""
    seconds = {result.variant.name: [turn.seconds for turn in result.rounds] for result in measured}
    exact = {
        f"{result.variant.name} (round {number})": turn.scores
        for result in measured
        for number, turn in enumerate([result.warm_up, *result.rounds])
        if result.variant.dtype == "float32" and turn.scores
    }
    return {
        "measured": measured,
        "ratios": rounds.ratios(CLAIMS, seconds),
        "not_encoding": {
            result.variant.name: rounds.not_encoding(result.rounds)
            for result in measured
            if result.warm_up.parts
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
    seconds: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    _say(f"a start: {sum(seconds.values()):.1f} s")
    return seconds


def _stages_table(stages: list[dict[str, float]]) -> str:
    lines = ["| stage | seconds, median | range |", "|---|--:|--:|"]
    for name in stages[0]:
        times = [start[name] for start in stages]
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


def _parse_options() -> argparse.Namespace:
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
