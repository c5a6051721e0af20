"""A recipe and rows that a tiny model is trained on in seconds, and a trainer of a plugin."""

from __future__ import annotations

from click.testing import CliRunner

from harness.cli import cli
from harness.errors import HarnessError

ROWS = 60
RECIPE = """
about = "pairs of letters"
base = "{base}"

[data]
kind = "scored-pairs"
path = "pairs.csv"

[loss]
name = "CosineSimilarityLoss"

[train]
batch_size = 10
epochs = 2
learning_rate = 0.001

[evaluation]
tasks = ["stsb-dev"]
"""
SHORT = ("--set", "train.steps=2", "--set", "evaluation.tasks=[]")
ALLOWED = ("--allow", "labels-inverted", "--allow", "near-duplicates")
"""A random model on made-up sentences shows what no real one should."""
TRAINER = '''
"""A trainer that copies the base."""
import shutil
from harness import hookimpl
from harness.training import LogEntry, Trainer, TrainingResult

def copy(job):
    job.follower.planned(1)
    shutil.copytree(job.base, job.folder)
    job.follower.advance(1, 1.0)
    return TrainingResult(log=(LogEntry(epoch=1.0, step=1, loss=0.25),), steps=1)

@hookimpl
def harness_trainers():
    return [Trainer("copying", "copies the base", copy)]
'''


def harness(*arguments, fails=False):
    runner = CliRunner()
    found = runner.invoke(cli, [str(argument) for argument in arguments], catch_exceptions=fails)
    if fails:
        assert isinstance(found.exception, HarnessError), found.output
        return str(found.exception)
    assert found.exit_code == 0, found.output
    return found.output


def write_letters(folder, base):
    """Write the recipe and its rows into a folder."""
    (folder / "letters.toml").write_text(RECIPE.format(base=base), encoding="utf-8")
    words = ["ant bee cow", "dog elk fox", "gnu hen ibis", "jay kid lamb"]
    lines = [f"{words[n % 4]} {n},{words[n % 3]} {n * n},{(n % 5) / 4}" for n in range(ROWS)]
    (folder / "pairs.csv").write_text("text1,text2,score\n" + "\n".join(lines), encoding="utf-8")
