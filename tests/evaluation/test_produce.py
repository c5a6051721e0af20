"""Candidates appear whole or not at all, are the same after a kill, and describe themselves correctly."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.evaluation.produce import TrainingRun, _identity, produce, remove_leftovers
from harness.evaluation.work_folder import check_identity, check_writes, open_work_folder, work_folder
from harness.models.interface import ModelSpec
from harness.models.sentence_transformer import LocatedFolder
from harness.training.check_input import Rows
from harness.training.interface import Trainer
from harness.training.lineage import read_lineage
from harness.training.recipe_file import recipe_from

ANIMALS = ["cat", "dog", "cow", "hen", "fox", "owl", "bee", "ant", "elk", "yak"]
VERBS = ["eats", "sees", "likes", "hears", "finds"]


def rows() -> Rows:
    """Pairs of sentences about animals, scored by the words that they share."""
    sentences = [f"{animal} {verb} {other}" for animal in ANIMALS for verb in VERBS for other in ANIMALS[:2]]
    pairs = list(zip(sentences, reversed(sentences), strict=True))
    scores = [len(set(a.split()) & set(b.split())) / 3 for a, b in pairs]
    texts = {"text1": [a for a, _ in pairs], "text2": [b for _, b in pairs]}
    return Rows(kind="scored-pairs", texts=texts, labels=scores, source="animals.csv")


def recipe(**changes):
    table = {
        "name": "animals",
        "data": {"kind": "scored-pairs"},
        "loss": {"name": "CosineSimilarityLoss"},
        "train": {"batch_size": 10, "epochs": 3, "learning_rate": 1e-3, **changes.pop("train", {})},
    }
    return recipe_from({**table, **changes}, "animals")


def training(base: Path, out: Path, **changes) -> TrainingRun:
    from harness_train.trainer import SENTENCE_TRANSFORMERS

    fields = {
        "recipe": recipe(), "trainer": SENTENCE_TRANSFORMERS, "rows": rows(), "base_folder": base,
        "base": LocatedFolder.at(base, ModelSpec("folder", str(base)), "tiny"), "base_name": "tiny",
        "tasks": [], "data": None, "out": out, "seed": 7, "device": "cpu",
    }  # fmt: skip
    return TrainingRun(**{**fields, **changes})


class Recorder:
    """A callback that keeps what it was called with."""

    def __init__(self):
        self.steps, self.entries = [], []

    def planned(self, steps):
        self.total = steps

    def advance(self, step, epoch):
        self.steps.append(step)

    def log(self, entry):
        self.entries.append(entry)


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """A candidate that was trained in one go."""
    out = tmp_path_factory.mktemp("candidates") / "animals"
    return produce(training(tiny, out), Recorder())


def test_a_candidate_loads_with_plain_sentence_transformers_and_has_learned(finished, tiny):
    from scipy.stats import spearmanr
    from sentence_transformers import SentenceTransformer

    pairs = rows()

    def agreement(folder):
        model = SentenceTransformer(str(folder), device="cpu")
        left, right = (model.encode(list(pairs.texts[name])) for name in ("text1", "text2"))
        return spearmanr(pairs.labels, (left * right).sum(axis=1)).statistic

    assert agreement(finished.folder) > agreement(tiny) + 0.2


def test_a_candidate_has_a_lineage(finished, tiny):
    lineage = read_lineage(finished.folder)
    assert lineage == finished.lineage
    assert lineage.recipe["loss"]["name"] == "CosineSimilarityLoss"
    assert (
        lineage.base_fingerprint == LocatedFolder.at(tiny, ModelSpec("folder", str(tiny)), "tiny").fingerprint
    )
    assert (lineage.seed, lineage.rows, lineage.steps) == (7, 100, 30)
    assert len(lineage.texts) == len({text for cells in rows().texts.values() for text in cells})
    assert [entry.step for entry in lineage.log] == list(range(1, 31))
    assert lineage.libraries["torch"]
    curve = (finished.folder / "training.csv").read_text().splitlines()
    assert len(curve) == 31
    assert (finished.folder / "training.svg").read_text().startswith("<?xml")


def test_nothing_is_left_next_to_a_finished_candidate(finished):
    assert [path.name for path in finished.folder.parent.iterdir()] == ["animals"]


def test_a_kill_after_the_last_rename_leaves_a_work_folder_that_resume_removes(finished, tiny, tmp_path):
    out = shutil.copytree(finished.folder, tmp_path / "animals")
    work = work_folder(out)
    for identity in (None, _identity(training(tiny, out))):
        with open_work_folder(work):
            (work / "checkpoints").mkdir()
            if identity:
                check_identity(work, identity, resume=False)
        remove_leftovers(out)
        # Without what says whose it is, a folder with checkpoints is somebody's work.
        assert work.exists() is (identity is None)
        shutil.rmtree(work, ignore_errors=True)


def test_the_work_folder_of_another_training_stays_beside_a_candidate(finished, tiny, tmp_path):
    out = shutil.copytree(finished.folder, tmp_path / "animals")
    with open_work_folder(work_folder(out)):
        check_identity(work_folder(out), _identity(training(tiny, out, seed=8)), resume=False)
    remove_leftovers(out)
    assert (work_folder(out) / "training.json").exists()


def test_the_lineage_is_not_part_of_the_fingerprint(finished, tmp_path):
    bare = shutil.copytree(finished.folder, tmp_path / "bare")
    for name in ("lineage.json", "training.csv", "training.svg", "README.md", "training-texts.parquet"):
        (bare / name).unlink()
    prints = [
        LocatedFolder.at(path, ModelSpec("folder", str(path)), "m").fingerprint
        for path in (bare, finished.folder)
    ]
    assert prints[0] == prints[1]


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import conftest
from harness_train import callbacks
from evaluation.test_produce import Recorder, training
from harness.evaluation.produce import produce
from pathlib import Path

callbacks.SAVE_EVERY, callbacks.SHARE = 0.0, float("inf")

class Deadly(Recorder):
    def advance(self, step, epoch):
        if step == {step}:
            os.kill(os.getpid(), signal.{signal})

produce(training(Path({base!r}), Path({out!r})), Deadly())
"""


def interrupted(base: Path, out: Path, step: int, signal: str = "SIGKILL") -> int:
    script = KILLED.format(
        tests=str(Path(__file__).parents[1]), step=step, base=str(base), out=str(out), signal=signal
    )
    return subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True).returncode


@pytest.fixture(scope="module")
def killed(tiny, tmp_path_factory):
    """What a training that was killed in the middle of its second epoch leaves."""
    out = tmp_path_factory.mktemp("killed") / "animals"
    assert interrupted(tiny, out, 12) == -9
    assert not out.exists()
    return work_folder(out)


@pytest.fixture
def left(killed, tmp_path):
    """A copy of it, and where its candidate would go."""
    shutil.copytree(killed, tmp_path / killed.name)
    return tmp_path / "animals"


def same_weights(one: Path, other: Path) -> bool:
    return all(np.array_equal(value, weights(other)[name]) for name, value in weights(one).items())


def test_a_resumed_training_gives_the_same_weights(finished, tiny, left):
    recorder = Recorder()
    again = produce(training(tiny, left, resume=True), recorder)
    assert recorder.steps == list(range(12, 31))
    assert same_weights(finished.folder, again.folder)
    assert again.lineage.log == finished.lineage.log
    assert not work_folder(left).exists()


@pytest.mark.slow
@pytest.mark.parametrize("step", [2, 20, 21, 30])
def test_a_kill_at_any_step_gives_the_same_weights(finished, tiny, tmp_path, step):
    assert interrupted(tiny, tmp_path / "animals", step) == -9
    again = produce(training(tiny, tmp_path / "animals", resume=True), Recorder())
    assert same_weights(finished.folder, again.folder)


@pytest.mark.slow
def test_an_interrupt_leaves_a_folder_that_continues_to_the_same_weights(finished, tiny, tmp_path):
    out = tmp_path / "animals"
    assert interrupted(tiny, out, 9, "SIGINT") != 0
    assert not out.exists()
    assert [path.name for path in work_folder(out).glob("checkpoints/*")] == ["checkpoint-9"]
    assert same_weights(finished.folder, produce(training(tiny, out, resume=True), Recorder()).folder)


@pytest.mark.slow
def test_a_half_written_checkpoint_is_skipped(finished, tiny, left):
    newest = work_folder(left) / "checkpoints" / "checkpoint-99"
    newest.mkdir()
    (newest / "model.safetensors").write_bytes(b"half")
    assert same_weights(finished.folder, produce(training(tiny, left, resume=True), Recorder()).folder)


def test_an_unfinished_training_is_neither_begun_again_nor_continued_as_another_one(tiny, left):
    with pytest.raises(HarnessError, match="unfinished training") as caught:
        produce(training(tiny, left), Recorder())
    assert "--resume continues it" in str(caught.value)
    other = recipe(train={"learning_rate": 1e-4})
    with pytest.raises(HarnessError, match="not the same: recipe changed"):
        produce(training(tiny, left, resume=True, recipe=other), Recorder())
    with pytest.raises(HarnessError, match="seed changed"):
        produce(training(tiny, left, resume=True, seed=8), Recorder())
    identity = json.loads((work_folder(left) / "training.json").read_text())
    assert (identity["recipe"]["name"], identity["seed"]) == ("animals", 7)


def test_a_second_training_of_a_candidate_is_refused_while_the_first_works(tiny, tmp_path):
    work = work_folder(tmp_path / "animals")
    with open_work_folder(work), pytest.raises(HarnessError, match="another training works in") as caught:
        produce(training(tiny, tmp_path / "animals"), Recorder())
    assert "wait for it, or pick another --out" in str(caught.value)
    assert [path.name for path in work.iterdir()] == ["lock"]


@pytest.mark.parametrize("content", ["", '{"recipe": ', "[]"])
def test_a_work_folder_that_does_not_say_its_training_is_damaged(tiny, tmp_path, content):
    work = work_folder(tmp_path / "animals")
    work.mkdir()
    (work / "training.json").write_text(content)
    for resume in (False, True):
        with pytest.raises(HarnessError, match="is damaged") as caught:
            produce(training(tiny, tmp_path / "animals", resume=resume), Recorder())
        assert f"remove {work} to begin anew" in str(caught.value)


def raising(error):
    def train(_job):
        raise error

    return Trainer("raises", "raises", train)


def test_a_disk_that_fills_up_leaves_a_training_that_can_be_continued(tiny, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def no_space(_handle):
        raise full

    begun = training(tiny, tmp_path / "animals", trainer=raising(full))
    with monkeypatch.context() as patch, pytest.raises(HarnessError, match="No space left on device"):
        patch.setattr(os, "fsync", no_space)
        produce(begun, Recorder())
    assert not (work_folder(begun.out) / "training.json").exists()
    with pytest.raises(HarnessError, match="--resume continues"):
        produce(begun, Recorder())
    assert json.loads((work_folder(begun.out) / "training.json").read_bytes())["seed"] == 7


def test_an_unwritable_path_is_an_error_of_its_own_and_what_a_trainer_raises_names_the_trainer(
    tiny, tmp_path
):
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match="Not a directory"):
        produce(training(tiny, tmp_path / "file" / "animals"), Recorder())
    with pytest.raises(HarnessError, match=r"trainer 'raises' .* raised OSError: Can't load tokenizer"):
        produce(
            training(tiny, tmp_path / "out", trainer=raising(OSError("Can't load tokenizer"))), Recorder()
        )


@pytest.mark.parametrize(
    ("number", "path", "error"),
    [
        (errno.EACCES, "out.unfinished/model", HarnessError),
        (errno.EACCES, ".", HarnessError),
        (errno.EACCES, "base/model.safetensors", PermissionError),
        (errno.ENOSPC, "elsewhere", HarnessError),
        (errno.EFBIG, "elsewhere", HarnessError),
    ],
)
def test_only_errors_of_the_work_folder_or_the_disk_are_errors_for_the_user(number, path, error, tmp_path):
    with pytest.raises(error), check_writes(work_folder(tmp_path / "out")):
        raise OSError(number, os.strerror(number), str(tmp_path / path))


def test_an_existing_folder_is_not_written_to(tiny, tmp_path):
    (tmp_path / "animals").mkdir()
    with pytest.raises(HarnessError, match="exists already"):
        produce(training(tiny, tmp_path / "animals"), Recorder())
    assert [path.name for path in tmp_path.iterdir()] == ["animals"]


@pytest.mark.slow
def test_two_seeds_give_two_models_and_one_seed_one(finished, tiny, tmp_path):
    same = produce(training(tiny, tmp_path / "same"), Recorder())
    other = produce(training(tiny, tmp_path / "other", seed=8), Recorder())
    name = next(name for name in weights(same.folder) if "query" in name)
    assert np.array_equal(weights(same.folder)[name], weights(finished.folder)[name])
    assert not np.array_equal(weights(same.folder)[name], weights(other.folder)[name])


@pytest.fixture(scope="module")
def best(tiny, tmp_path_factory):
    """A candidate that keeps its best evaluation; it learns too fast for the last to be the best."""
    from harness_sts.tasks import stsb_tasks

    wanted = recipe(
        train={"epochs": 4, "learning_rate": 3e-2},
        evaluation={"tasks": ["stsb-dev"], "every": 8, "keep": "best"},
    )
    out = tmp_path_factory.mktemp("best") / "animals"
    return produce(training(tiny, out, recipe=wanted, tasks=stsb_tasks()[1:]), Recorder())


@pytest.mark.slow
def test_the_best_evaluation_is_kept_and_measured_again(best):
    scores = {entry.step: entry.metrics["stsb-dev_spearman"] for entry in best.lineage.log if entry.metrics}
    assert list(scores) == [8, 16, 24, 32, 40]
    assert best.lineage.best_step == max(scores, key=scores.get)
    (measured,) = best.evaluations
    assert measured.scores[0].score == max(scores.values())


def test_the_card_has_the_measured_scores_and_the_base(best, finished):
    from huggingface_hub import ModelCard

    card = ModelCard.load(best.folder / "README.md")
    reported = {
        (result.dataset_type, result.metric_type): result.metric_value for result in card.data.eval_results
    }
    (measured,) = best.evaluations
    assert reported == {
        ("stsb-dev-sample", f"{score.metric}_cosine"): score.score for score in measured.scores
    }
    assert all("sample" in result.dataset_name for result in card.data.eval_results)
    assert card.data.base_model == "tiny"
    assert "Size: 100 training samples" in card.text
    assert "https://huggingface.co/tiny" not in card.text
    assert card.text.count("stsb-dev_spearman") == 1
    assert not ModelCard.load(finished.folder / "README.md").data.eval_results
