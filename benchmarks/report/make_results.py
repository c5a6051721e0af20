"""Write a results folder of made answers: models × tasks × examples, of all kinds.

`python -m benchmarks.report.make_results --out build/report --models 10 --tasks 20 --examples 2000`

It is written through the writers of runs, so that `harness verify` finds no fault. `--hostile` puts markup,
10,000 characters, right-to-left text and line separators where texts of strangers can be.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from benchmarks.report.answers import KINDS, METRICS, answers_of, rows_of
from harness.evaluation.evaluate import score_predictions
from harness.finding import Finding, Severity
from harness.models.interface import ModelFacts, Settings
from harness.results.folder import ResultsFolder
from harness.results.publish import publish
from harness.results.records import (
    Evaluation,
    Examination,
    ModelRecord,
    Throughput,
    Truncation,
    content_hash,
)
from harness.system.environment import current_environment, libraries

if TYPE_CHECKING:
    from harness.tasks.dataset import Dataset

HOSTILE = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    """double " and single ' quotes, `ticks` & <b>bold</b> {{ 7*7 }} ${7*7}""",
    "javascript:document.title='owned'",
    "]]><!--<svg onload=document.title='owned'>",
    "line\N{LINE SEPARATOR}and\N{PARAGRAPH SEPARATOR}paragraph\x00\x1b[31mred\r\nend",
    "\N{RIGHT-TO-LEFT OVERRIDE}evil\N{POP DIRECTIONAL FORMATTING} \u05e9\u05dc\u05d5\u05dd",
    "=1+1",
    "x" * 10_000,
)
"""Texts that must do nothing but be shown."""


def make_results(
    root: Path, *, models: int, tasks: int, examples: int, hostile: bool = False, seed: int = 0
) -> ResultsFolder:
    """Write the folder and return it; the same arguments write the same records.

    The first model is the baseline; the others are better and worse. With `hostile`, the last model failed on
    the last task.
    """
    results = ResultsFolder(root)
    shown: tuple[str, ...] = HOSTILE if hostile else ()
    skills = np.random.default_rng([seed, models]).uniform(0.3, 0.9, models)
    records = [_model(number, shown) for number in range(models)]
    for number in range(tasks):
        form = list(METRICS)[number % len(METRICS)]
        rows = rows_of(form, examples, np.random.default_rng([0, seed, number]), shown)
        for model, record in enumerate(records):
            if hostile and model == models - 1 > 0 and number == tasks - 1 > 0:
                results.write_error(_evaluation(record, form, number, rows, error=" ".join(shown)), shown[0])
            else:
                _answer(results, record, form, number, rows, model, float(skills[model]), shown)
    for number, record in enumerate(records):
        results.write_throughput(_throughput(record, number))
    environment = current_environment("2026-01-01T00:00:00.000000+00:00")
    head = {"started": environment.started, "command": ["harness", "run", *shown], "libraries": libraries()}
    results.write_run(
        "20260101-000000.000000-1",
        {
            **head,
            "state": "finished",
            "harness": environment.harness,
            "python": environment.python,
            "platform": environment.platform,
            "processor": environment.processor,
            "cores": environment.cores,
        },
    )
    publish(results)
    return results


def _answer(
    results: ResultsFolder,
    record: ModelRecord,
    form: str,
    number: int,
    rows: Dataset,
    model: int,
    skill: float,
    hostile: tuple[str, ...],
) -> None:
    predictions = answers_of(form, rows, number, model, skill)
    findings = [
        Finding("made", Severity.NOTE, f"made of random numbers {text[:200]}", text[:200]) for text in hostile
    ]
    cut = sum(predictions["truncated"])
    evaluation = _evaluation(
        record,
        form,
        number,
        rows,
        scores=tuple(score_predictions(metric, predictions) for metric in METRICS[form]),
        predictions=content_hash(predictions),
        fitted=predictions.fitted,
        findings=tuple(findings),
        truncation=Truncation(texts=len(rows), truncated=cut, tokens=30 * len(rows), lost=5 * cut),
    )
    results.write(evaluation, predictions)


def _evaluation(
    record: ModelRecord,
    form: str,
    number: int,
    rows: Dataset,
    **more: Any,  # noqa: ANN401 - further fields of the record
) -> Evaluation:
    task = f"{form}-{number:02}"
    return Evaluation(
        key=_hash(record.fingerprint, task),
        status="error" if "error" in more else "ok",
        examination=Examination(
            task=task, version=1, source=_hash(form), split="test", data="own", digest=rows.digest
        ),
        candidate=record,
        kind=KINDS.get(form, form),
        tags=("made", "legal" if number % 2 else "general"),
        libraries=libraries(),
        **more,
    )


def _model(number: int, hostile: tuple[str, ...]) -> ModelRecord:
    name = "baseline" if not number else f"candidate-{number}"
    if hostile and number:
        name = f"{name} {hostile[number % len(hostile)][:80]}"
    size = 22_000_000 * (1 + number % 4)
    facts = ModelFacts(
        dimensions=384, similarity="cosine", parameters=size, max_tokens=256, size_bytes=4 * size
    )
    return ModelRecord(model=name, fingerprint=_hash(name), settings=Settings(), facts=facts)


def _throughput(record: ModelRecord, number: int) -> Throughput:
    rate = 1000.0 / (1 + number % 4) + number
    rounds = (1.0 / rate, 1.05 / rate, 1.1 / rate)
    return Throughput(
        model=record.model,
        fingerprint=record.fingerprint,
        workload=_hash("workload"),
        texts=1000,
        tokens=30_000,
        seconds=tuple(1000 * seconds for seconds in rounds),
        cpu_seconds=tuple(1000 * seconds for seconds in rounds),
        texts_per_second=1 / rounds[1],
        texts_per_second_low=1 / rounds[2],
        texts_per_second_high=1 / rounds[0],
        tokens_per_second=30 / rounds[1],
        device="cpu",
        dtype="float32",
        backend="packed",
        threads=1,
        processor="made",
        cores=1,
        load=None,
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The results folder to write.")
@click.option("--models", default=3, show_default=True)
@click.option("--tasks", default=6, show_default=True, help="Six forms in turn.")
@click.option("--examples", default=200, show_default=True, help="Of each task.")
@click.option("--hostile", is_flag=True, help="Put hostile names and texts into it.")
@click.option("--seed", default=0, show_default=True)
def main(out: Path, models: int, tasks: int, examples: int, *, hostile: bool, seed: int) -> None:
    """Write a results folder of made answers, for a report."""
    if out.exists():
        raise click.UsageError(f"{out} exists already")
    make_results(out, models=models, tasks=tasks, examples=examples, hostile=hostile, seed=seed)
    click.echo(f"{out}: {models} models × {tasks} tasks × {examples} examples")


if __name__ == "__main__":
    main()
