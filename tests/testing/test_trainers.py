"""The kit for trainers: each rule has a trainer that breaks it and no other; our own trainer keeps all."""

from __future__ import annotations

import itertools
import shutil
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from harness.plugins.loader import load_plugins
from harness.testing import check_trainer, trainer_failures
from harness.testing.rules import wanted
from harness.testing.trainers import STAGES
from harness.training import LogEntry, Trainer, TrainingResult

COUNTER = itertools.count(1)
STEPS = 3


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder of a model that is a table of random vectors: it loads in no time."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: row for row, word in enumerate(["[UNK]", *"abcdefghijklmnopqrstuvwxyz"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    torch.manual_seed(0)
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu")
    folder = tmp_path_factory.mktemp("base") / "static"
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


class Sound:
    """Moves each weight by a draw of its seed, in three steps."""

    def __call__(self, job):
        import torch
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(job.base), device="cpu", local_files_only=True)
        generator, log = torch.Generator().manual_seed(self.seed(job)), []
        job.follower.planned(STEPS)
        for step in range(1, STEPS + 1):
            with torch.no_grad():
                for weight in model.parameters():
                    weight.add_(self.size * torch.randn(weight.shape, generator=generator))
            log.append(self.entry(job, model, step))
            job.follower.log(log[-1])
            job.follower.advance(step, float(step))
        model.save_pretrained(str(job.folder), create_model_card=False)
        return TrainingResult(log=tuple(log), steps=STEPS)

    size = 0.1

    def seed(self, job):
        return job.seed

    def entry(self, job, model, step):
        scores = {}
        if job.recipe.evaluation.tasks:
            model.save_pretrained(str(job.work / "saved"), create_model_card=False)
            scores = dict(job.evaluate(job.work / "saved"))
        return LogEntry(epoch=float(step), step=step, loss=1 / step, metrics=scores)


class ReturnsNothing(Sound):
    def __call__(self, job):
        super().__call__(job)


class LogsNothing(Sound):
    def __call__(self, job):
        return replace(super().__call__(job), log=())


class Pickles(Sound):
    def __call__(self, job):
        import torch

        result = super().__call__(job)
        for file in job.folder.rglob("*.safetensors"):
            torch.save({}, file.with_name("pytorch_model.bin"))
            file.unlink()
        return result


class SavesItsBase(Sound):
    size = 0.0

    def seed(self, job):
        return job.seed


class DrawsWithoutSeed(Sound):
    def seed(self, job):
        return next(COUNTER)


class IgnoresItsSeed(Sound):
    def seed(self, job):
        return 0


class WritesToItsBase(Sound):
    def __call__(self, job):
        (job.base / "notes.txt").write_text(str(next(COUNTER)))
        return super().__call__(job)


class ChangesItsRows(Sound):
    def __call__(self, job):
        job.rows.texts["text1"].reverse()
        return super().__call__(job)


class WritesHere(Sound):
    def __call__(self, job):
        Path("runs").mkdir(exist_ok=True)
        return super().__call__(job)


class PlansNothing(Sound):
    def __call__(self, job):
        class Follower:
            planned = staticmethod(lambda steps: None)
            advance, log = job.follower.advance, job.follower.log

        return super().__call__(replace(job, follower=Follower()))


class NeverEvaluates(Sound):
    def entry(self, job, model, step):
        return LogEntry(epoch=float(step), step=step, loss=1 / step)


class EvaluatesWhatIsNotThere(Sound):
    def entry(self, job, model, step):
        scores = dict(job.evaluate(job.folder)) if job.recipe.evaluation.tasks else {}
        return LogEntry(epoch=float(step), step=step, loss=1 / step, metrics=scores)


class GoesOnFromHalf(Sound):
    """Trains on what it saved, and once more in full."""

    def __call__(self, job):
        if (job.work / "half").is_dir():
            job = replace(job, base=job.work / "half")
        return super().__call__(job)

    def entry(self, job, model, step):
        shutil.rmtree(job.work / "half", ignore_errors=True)
        model.save_pretrained(str(job.work / "half"), create_model_card=False)
        return super().entry(job, model, step)


class WantsTheNetwork(Sound):
    def __call__(self, job):
        with suppress(OSError):
            socket.create_connection(("kit.invalid", 80))
        return super().__call__(job)


class ClosesItsOutput(Sound):
    def __call__(self, job):
        sys.stdout.close()
        return super().__call__(job)


class PrintsARow(Sound):
    def __call__(self, job):
        print(job.rows.texts["text1"][0])
        return super().__call__(job)


BROKEN = [
    ("attributes", None, "whose train is None, not a function"),
    ("trains", ReturnsNothing, "train returns a NoneType, not a TrainingResult"),
    ("trains", LogsNothing, "the log has no line with a loss"),
    ("loads", Pickles, "cannot load the trained folder"),
    ("learns", SavesItsBase, "the embeddings of its base"),
    ("same-seed", DrawsWithoutSeed, "the same recipe, rows and seed give another model"),
    ("other-seed", IgnoresItsSeed, "seeds 7 and 8 give the same model"),
    ("base", WritesToItsBase, "the training changes its base: notes.txt"),
    ("rows", ChangesItsRows, "the training changes job.rows"),
    ("folders", WritesHere, "it writes runs outside of job.work and job.folder"),
    ("follower", PlansNothing, "it calls job.follower.planned 0 times"),
    ("evaluates", NeverEvaluates, "job.evaluate is not called"),
    ("evaluates", EvaluatesWhatIsNotThere, "job.evaluate is called with 'model', where no model was saved"),
    ("resumes", GoesOnFromHalf, "interrupted and continued, the same training gives another model"),
    ("network", WantsTheNetwork, "it wants to reach kit.invalid"),
    ("streams", ClosesItsOutput, "it closes sys.stdout"),
    ("prints", PrintsARow, "a text of its rows"),
]


def failures(broken, base):
    return trainer_failures(Trainer("small", "small steps", broken and broken()), base=base)


def test_a_sound_trainer_keeps_all_rules(base):
    check_trainer(Trainer("small", "small steps", Sound()), base=base)


@pytest.mark.parametrize(("rule", "broken", "says"), BROKEN)
def test_a_trainer_that_breaks_one_rule_is_found_by_this_rule_alone(rule, broken, says, base):
    (sentence,) = failures(broken, base)
    assert sentence.startswith(f"{rule}: ")
    assert says in sentence


def test_every_rule_of_trainers_has_a_trainer_that_breaks_it():
    assert {rule for rule, *_ in BROKEN} == set(wanted(STAGES))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_our_own_trainer_keeps_all_rules():
    check_trainer(load_plugins().trainers()["sentence-transformers"])
