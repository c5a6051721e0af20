"""Real trainings of a tiny model, as today's library makes them and writes their cards: seconds each."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from conftest import build_model

_LIST = """
acorn anvil apple arrow badge banjo barn basin beach berry birch boot brick broom cabin camel
candle canoe carrot cedar cello chalk cherry cliff clock cloud copper coral daisy desk drum
eagle fern flute fox garlic ginger glove goose grape hammer harp hazel heron honey iris ivory
jacket kettle ladder lemon lily linen lion maple marble meadow mint moss
"""
WORDS = tuple(_LIST.split())
FILLERS = ("the", "near", "with", "some", "under", "old", "small", "and")
BATCH, TRAINED_ON = 8, 200
DEV = "words-dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What one of the trainings sets, in the library's own words where they are not the same as ours."""

    loss: str
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    """The library's arguments of the loss."""
    matryoshka: tuple[int, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    """Of the training, where they differ from `arguments_of`."""
    normalize: bool = True


TRAININGS = MappingProxyType(
    {
        "CosineSimilarityLoss": Training(
            loss="CosineSimilarityLoss", kind="scored-pairs", arguments={"learning_rate": 0.003, "seed": 7}
        ),
        "CoSENTLoss": Training(
            loss="CoSENTLoss", kind="scored-pairs", parameters={"scale": 15.0},
            arguments={"lr_scheduler_type": "cosine", "warmup_steps": 0.125, "weight_decay": 0.01},
        ),
        "ContrastiveLoss": Training(
            loss="ContrastiveLoss", kind="labeled-pairs", parameters={"margin": 0.6, "size_average": False},
            arguments={"learning_rate": 0.001, "max_grad_norm": 0.5},
        ),
        "TripletLoss": Training(
            loss="TripletLoss", kind="triplets",
            parameters={"distance_metric": "TripletDistanceMetric.COSINE", "triplet_margin": 0.3},
            arguments={"gradient_accumulation_steps": 2, "per_device_train_batch_size": 4},
        ),
        "MultipleNegativesRankingLoss": Training(
            loss="MultipleNegativesRankingLoss", kind="pairs", parameters={"scale": 25.0},
            arguments={"batch_sampler": "no_duplicates", "max_steps": 110},
        ),
        "CachedMultipleNegativesRankingLoss": Training(
            loss="CachedMultipleNegativesRankingLoss", kind="pairs", parameters={"mini_batch_size": 8},
            arguments={"batch_sampler": "no_duplicates", "lr_scheduler_type": "constant"}, normalize=False,
        ),
        "MatryoshkaLoss": Training(
            loss="MultipleNegativesRankingLoss", kind="pairs", matryoshka=(32, 16),
            arguments={"batch_sampler": "no_duplicates", "warmup_steps": 10},
        ),
    }
)  # fmt: skip
"""Sound trainings, by what one may call them; their cards should raise no finding of severity error."""

_CARDS: dict[str, Path] = {}


def clean_card(name: str, folder: Path) -> Path:
    """Train the TRAININGS entry below `folder`, once in a session, and return the README.md it generated."""
    if name not in _CARDS:
        with _quietly():
            _CARDS[name] = _train(TRAININGS[name], folder / name)
    return _CARDS[name]


def arguments_of(training: Training) -> dict[str, Any]:
    """Give what the training sets, among it what its card is to say again."""
    return {
        "num_train_epochs": 4,
        "per_device_train_batch_size": BATCH,
        "learning_rate": 0.002,
        "seed": 42,
        **training.arguments,
    }


def rows_of(kind: str, count: int, seed: int) -> dict[str, list[Any]]:
    """Make distinct rows whose texts are alike as far as they share words: what a tiny model can learn."""
    draw, rows = random.Random(seed), {}
    while len(rows) < count:
        words = draw.sample(WORDS, 8)
        mine, others = words[:4], words[4:]
        row = _row(kind, mine, others, draw, turn=len(rows))
        rows.setdefault(row[:2], row)
    names = {"triplets": ("anchor", "positive", "negative"), "pairs": ("query", "answer")}
    columns = names.get(kind, ("left", "right", "score" if kind == "scored-pairs" else "label"))
    return dict(zip(columns, map(list, zip(*rows.values(), strict=True)), strict=True))


def _row(kind: str, mine: list[str], others: list[str], draw: random.Random, *, turn: int) -> tuple[Any, ...]:
    anchor, positive = _text(mine, draw), _text(draw.sample(mine, 4), draw)
    if kind == "pairs":
        return anchor, positive
    if kind == "triplets":
        return anchor, positive, _text(others, draw)
    if kind == "labeled-pairs":
        return anchor, positive if turn % 2 else _text(others, draw), turn % 2
    shared = turn % 5
    return anchor, _text(draw.sample(mine, shared) + others[shared:], draw), shared / 4


def _text(words: list[str], draw: random.Random) -> str:
    return " ".join(f"{draw.choice(FILLERS)} {word}" for word in words)


def _train(training: Training, folder: Path) -> Path:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )

    base = build_model(folder / "base", words=" ".join((*WORDS, *FILLERS)), normalize=training.normalize)
    model = SentenceTransformer(str(base), device="cpu")
    # Else the card asks the hub what the folder's name may stand for.
    model.model_card_data.local_files_only = True
    evaluator = _evaluator(training.kind)
    metric = f"eval_{DEV}_{_METRICS[training.kind]}"
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(folder / "work"), use_cpu=True, dataloader_pin_memory=False, report_to="none",
            disable_tqdm=True, logging_steps=10, eval_strategy="steps", eval_steps=50, save_strategy="steps",
            save_steps=50, save_total_limit=1, save_only_model=True, load_best_model_at_end=True,
            metric_for_best_model=metric, greater_is_better=True, **arguments_of(training),
        ),
        train_dataset=Dataset.from_dict(rows_of(training.kind, TRAINED_ON, seed=1)),
        loss=_loss(training, model),
        evaluator=evaluator,
    )  # fmt: skip
    trainer.train()
    # The card reports what was evaluated last, and the best checkpoint is kept, which need not be the last.
    evaluator(model)
    model.save_pretrained(str(folder / "model"))
    return folder / "model" / "README.md"


def card_of_several_datasets(folder: Path) -> Path:
    """Make the card of one step on four datasets, with a dataset and two dev sets that are evaluated."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer import evaluation, losses

    model = SentenceTransformer(str(build_model(folder / "base")), device="cpu")
    model.model_card_data.local_files_only = True
    scored = Dataset.from_dict(rows_of("scored-pairs", 40, seed=3))
    pairs = Dataset.from_dict(rows_of("pairs", 24, seed=4))
    ranking = losses.MultipleNegativesRankingLoss(model)
    one, other = (rows_of("scored-pairs", 20, seed).values() for seed in (5, 6))
    evaluators = [
        evaluation.EmbeddingSimilarityEvaluator(*one, name="one"),
        evaluation.EmbeddingSimilarityEvaluator(*other, name="other"),
    ]
    with _quietly():
        SentenceTransformerTrainer(
            model=model,
            args=SentenceTransformerTrainingArguments(
                output_dir=str(folder / "work"), use_cpu=True, dataloader_pin_memory=False, report_to="none",
                disable_tqdm=True, max_steps=1, eval_strategy="steps", eval_steps=1, save_strategy="no",
            ),
            train_dataset={"scored": scored, "pairs": pairs, "more": pairs, "most": pairs},
            eval_dataset={"scored": scored},
            loss={"scored": losses.CoSENTLoss(model), "pairs": ranking, "more": ranking, "most": ranking},
            evaluator=evaluation.SequentialEvaluator(evaluators),
        ).train()  # fmt: skip
        model.save_pretrained(str(folder / "model"))
    return folder / "model" / "README.md"


def _loss(training: Training, model: Any) -> Any:
    from sentence_transformers.sentence_transformer import losses

    given = dict(training.parameters)
    if "distance_metric" in given:
        family, _, member = given["distance_metric"].partition(".")
        given["distance_metric"] = getattr(getattr(losses, family), member)
    made = getattr(losses, training.loss)(model, **given)
    return losses.MatryoshkaLoss(model, made, list(training.matryoshka)) if training.matryoshka else made


_METRICS = {
    "pairs": "cosine_ndcg@10",
    "triplets": "cosine_accuracy",
    "labeled-pairs": "cosine_ap",
    "scored-pairs": "spearman_cosine",
}
"""The deciding metric of each kind's evaluator."""


def _evaluator(kind: str) -> Any:
    from sentence_transformers.sentence_transformer import evaluation

    columns = list(rows_of(kind, 40, seed=2).values())
    if kind == "triplets":
        return evaluation.TripletEvaluator(*columns, name=DEV)
    if kind == "labeled-pairs":
        return evaluation.BinaryClassificationEvaluator(*columns, name=DEV)
    if kind == "scored-pairs":
        return evaluation.EmbeddingSimilarityEvaluator(*columns, name=DEV)
    queries, answers = ({str(place): text for place, text in enumerate(column)} for column in columns)
    relevant = {place: {place} for place in queries}
    return evaluation.InformationRetrievalEvaluator(queries, answers, relevant, name=DEV)


@contextlib.contextmanager
def _quietly():
    """Keep the library's progress bars and log lines out of the tests' output."""
    import io

    from transformers.utils import logging

    logging.disable_progress_bar()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
