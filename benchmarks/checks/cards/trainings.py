"""The trainings whose cards are kept: losses, trainers, evaluators and schedules, as data."""

# ruff: noqa: ANN401 - losses, evaluators and models are of a library that is imported late

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from benchmarks.checks import generated
from benchmarks.checks.generated import COSINE, MNRL, TRIPLET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sentence_transformers import SentenceTransformer

    from benchmarks.checks.dataset import DataSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training: rows, loss, schedule and evaluators."""

    name: str
    rows: DataSet
    dev: DataSet
    loss: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the loss."""
    around: str = ""
    """Loss around it: MatryoshkaLoss and its kin."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the trainer."""
    evaluator: str = "similarity"
    """`similarity`, `binary`, `triplet`, `retrieval`, or several, separated by commas."""
    columns: tuple[str, ...] = ()
    """Names of the columns; ours by default."""
    normalize: bool = True
    fit: bool = False
    """Whether it is trained by the old `model.fit`."""
    more: DataSet | None = None
    """A second data set of the same kind, trained on in turn."""

    def words(self) -> Iterable[str]:
        """Return all texts, for a vocabulary."""
        sets = [self.rows, self.dev, *([self.more] if self.more else [])]
        return [text for one in sets for cells in one.rows.texts.values() for text in cells]

    def run(self, model: SentenceTransformer, out: Path) -> None:
        """Train the model, evaluated on the dev set before the end and after it."""
        warnings.simplefilter("ignore")
        loss, evaluator = self._loss(model), self._evaluator()
        (_fit if self.fit else _train)(self, model, loss, evaluator, out)

    def table(self, dataset: DataSet) -> dict[str, list[Any]]:
        """Return the columns of a data set as the trainer takes them."""
        columns = {name: list(cells) for name, cells in dataset.rows.texts.items()}
        if dataset.rows.labels is not None:
            classes = sorted(set(dataset.rows.labels)) if dataset.kind == "labeled-texts" else None
            labels = [classes.index(label) if classes else label for label in dataset.rows.labels]
            columns["score" if dataset.kind == "scored-pairs" else "label"] = labels
        return dict(zip(self.columns or columns, columns.values(), strict=True))

    def _loss(self, model: SentenceTransformer) -> Any:
        from sentence_transformers.sentence_transformer import losses

        options = dict(self.options)
        if self.loss == "GISTEmbedLoss":
            options["guide"] = model
        if self.loss == "SoftmaxLoss":
            options |= {"sentence_embedding_dimension": 64, "num_labels": 2}
        if "distance_metric" in options:
            options["distance_metric"] = getattr(losses, self._distances()[0]).__dict__[
                options["distance_metric"]
            ]
            options["distance_metric"] = getattr(
                options["distance_metric"], "__func__", options["distance_metric"]
            )
        loss = getattr(losses, self.loss)(model, **options)
        if self.around:
            loss = getattr(losses, self.around)(model, loss, matryoshka_dims=[64, 32, 16])
        return loss

    def _distances(self) -> tuple[str]:
        if self.loss.startswith("Batch"):
            return ("BatchHardTripletLossDistanceFunction",)
        return ("TripletDistanceMetric",) if self.loss == "TripletLoss" else ("SiameseDistanceMetric",)

    def _evaluator(self) -> Any:
        from sentence_transformers.evaluation import SequentialEvaluator

        made = [_EVALUATORS[name](self.dev) for name in self.evaluator.split(",")]
        return made[0] if len(made) == 1 else SequentialEvaluator(made)


def _train(training: Training, model: Any, loss: Any, evaluator: Any, out: Path) -> None:
    from datasets import Dataset, DatasetDict
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    data: Any = Dataset.from_dict(training.table(training.rows))
    losses: Any = loss
    if training.more is not None:
        data = DatasetDict({"first": data, "second": Dataset.from_dict(training.table(training.more))})
        losses = {"first": loss, "second": training._loss(model)}
    arguments = {
        "per_device_train_batch_size": 16, "num_train_epochs": 5, "learning_rate": 2e-3, "warmup_steps": 10,
        "logging_steps": 20, "eval_strategy": "steps", "eval_steps": 40, "save_strategy": "no", "report_to": "none",
        "seed": 1, "use_cpu": True, "disable_tqdm": True, **training.arguments,
    }  # fmt: skip
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(output_dir=str(out), **arguments),
        train_dataset=data,
        loss=losses,
        evaluator=evaluator,
    )
    trainer.train()
    evaluator(model)


def _fit(training: Training, model: Any, loss: Any, evaluator: Any, out: Path) -> None:
    from sentence_transformers import InputExample
    from torch.utils.data import DataLoader

    columns = list(training.rows.rows.texts.values())
    labels = training.rows.rows.labels or [0] * len(columns[0])
    examples = [
        InputExample(texts=list(texts), label=label)
        for texts, label in zip(zip(*columns, strict=True), labels, strict=True)
    ]
    loader: Any = DataLoader(examples, shuffle=True, batch_size=16)  # type: ignore[arg-type]  # a list is no Dataset of torch
    model.fit(
        [(loader, loss)], evaluator=evaluator, epochs=5, evaluation_steps=0, output_path=str(out),
        optimizer_params={"lr": 2e-3}, warmup_steps=10, show_progress_bar=False,
    )  # fmt: skip


def _similarity(dev: DataSet) -> Any:
    from sentence_transformers.evaluation import EmbeddingSimilarityEvaluator

    left, right = dev.rows.texts.values()
    return EmbeddingSimilarityEvaluator(list(left), list(right), list(dev.rows.labels or ()), name="dev")


def _binary(dev: DataSet) -> Any:
    from sentence_transformers.evaluation import BinaryClassificationEvaluator

    left, right = dev.rows.texts.values()
    labels = [int(label > 0.5) for label in dev.rows.labels or ()]
    return BinaryClassificationEvaluator(list(left), list(right), labels, name="dev")


def _triplet(dev: DataSet) -> Any:
    from sentence_transformers.evaluation import TripletEvaluator

    return TripletEvaluator(*map(list, dev.rows.texts.values()), name="dev")


def _retrieval(dev: DataSet) -> Any:
    from sentence_transformers.evaluation import InformationRetrievalEvaluator

    left, right = list(dev.rows.texts.values())[:2]
    return InformationRetrievalEvaluator(
        {f"q{row}": text for row, text in enumerate(left)},
        {f"d{row}": text for row, text in enumerate(right)},
        {f"q{row}": {f"d{row}"} for row in range(len(left))},
        name="dev",
    )


_EVALUATORS: dict[str, Callable[[DataSet], Any]] = {
    "similarity": _similarity, "binary": _binary, "triplet": _triplet, "retrieval": _retrieval,
}  # fmt: skip

_SCORED = generated.scored_events("card-scored", 400)
_SCORED_DEV = generated.scored_events("card-scored-dev", 100)
_LABELED = generated.labeled_events("card-labeled", 400, COSINE)
_LABELED_DEV = generated.labeled_events("card-labeled-dev", 100, COSINE)
_PAIRS, _PAIRS_DEV = generated.pairs_events("card-pairs", 400), generated.pairs_events("card-pairs-dev", 100)
_ANSWERS = generated.pairs_answers("card-answers", 200)
_TRIPLETS = generated.triplets_events("card-triplets", 400, TRIPLET)
_TRIPLETS_DEV = generated.triplets_events("card-triplets-dev", 100, TRIPLET)
_HARD = generated.triplets_answers("card-hard", 340, MNRL)
_TEXTS = generated.texts_actions("card-texts", 400, 12)
_SENTENCES = ("sentence1", "sentence2", "score")
_COSINE_MARGIN = {"distance_metric": "COSINE", "triplet_margin": 0.3}
_GROUPED = {"batch_sampler": "group_by_label"}

TRAININGS = (
    Training(name="cosine", rows=_SCORED, dev=_SCORED_DEV, loss="CosineSimilarityLoss", columns=_SENTENCES),
    Training(name="cosent", rows=_SCORED, dev=_SCORED_DEV, loss="CoSENTLoss", arguments={"num_train_epochs": 8}),
    Training(name="angle", rows=_SCORED, dev=_SCORED_DEV, loss="AnglELoss", columns=_SENTENCES, arguments={"eval_strategy": "epoch"}),
    Training(name="contrastive", rows=_LABELED, dev=_LABELED_DEV, loss="ContrastiveLoss", evaluator="binary"),
    Training(name="online-contrastive", rows=_LABELED, dev=_LABELED_DEV, loss="OnlineContrastiveLoss", evaluator="binary", arguments={"num_train_epochs": 6}),
    Training(name="softmax", rows=_LABELED, dev=_SCORED_DEV, loss="SoftmaxLoss", columns=("premise", "hypothesis", "label"), normalize=False),
    Training(name="mnrl", rows=_PAIRS, dev=_PAIRS_DEV, loss="MultipleNegativesRankingLoss", evaluator="retrieval", columns=("anchor", "positive"), arguments={"batch_sampler": "no_duplicates"}),
    Training(name="mnrl-similarity", rows=_PAIRS, dev=_SCORED_DEV, loss="MultipleNegativesRankingLoss", columns=("query", "answer"), arguments={"per_device_train_batch_size": 32, "num_train_epochs": 10, "eval_strategy": "epoch"}),
    Training(name="mnrl-triplets", rows=_TRIPLETS, dev=_TRIPLETS_DEV, loss="MultipleNegativesRankingLoss", evaluator="triplet,retrieval"),
    Training(name="mnrl-hard", rows=_HARD, dev=_TRIPLETS_DEV, loss="MultipleNegativesRankingLoss", evaluator="retrieval", arguments={"num_train_epochs": 10}),
    Training(name="cached-mnrl", rows=_PAIRS, dev=_PAIRS_DEV, loss="CachedMultipleNegativesRankingLoss", options={"mini_batch_size": 16}, evaluator="retrieval", columns=("anchor", "positive"), arguments={"per_device_train_batch_size": 64, "num_train_epochs": 20}),
    Training(name="symmetric", rows=_PAIRS, dev=_PAIRS_DEV, loss="MultipleNegativesSymmetricRankingLoss", evaluator="retrieval", columns=("anchor", "positive")),
    Training(name="gist", rows=_PAIRS, dev=_PAIRS_DEV, loss="GISTEmbedLoss", evaluator="retrieval", columns=("anchor", "positive")),
    Training(name="megabatch", rows=_PAIRS, dev=_SCORED_DEV, loss="MegaBatchMarginLoss", columns=("anchor", "positive"), arguments={"per_device_train_batch_size": 32, "num_train_epochs": 10}, options={"use_mini_batched_version": False}),
    Training(name="triplet", rows=_TRIPLETS, dev=_TRIPLETS_DEV, loss="TripletLoss", options=_COSINE_MARGIN, evaluator="triplet"),
    Training(name="triplet-euclidean", rows=_TRIPLETS, dev=_SCORED_DEV, loss="TripletLoss", options={"triplet_margin": 5}, normalize=False),
    Training(name="batch-hard", rows=_TEXTS, dev=_TRIPLETS_DEV, loss="BatchHardTripletLoss", options={"distance_metric": "cosine_distance", "margin": 0.3}, evaluator="triplet", arguments=_GROUPED),
    Training(name="batch-semi-hard", rows=_TEXTS, dev=_TRIPLETS_DEV, loss="BatchSemiHardTripletLoss", options={"margin": 0.3}, evaluator="triplet", arguments=_GROUPED),
    Training(name="batch-all", rows=_TEXTS, dev=_SCORED_DEV, loss="BatchAllTripletLoss", options={"margin": 0.5}, arguments=_GROUPED),
    Training(name="batch-soft", rows=_TEXTS, dev=_SCORED_DEV, loss="BatchHardSoftMarginTripletLoss", arguments=_GROUPED),
    Training(name="matryoshka-mnrl", rows=_PAIRS, dev=_PAIRS_DEV, loss="MultipleNegativesRankingLoss", around="MatryoshkaLoss", evaluator="retrieval", columns=("anchor", "positive")),
    Training(name="matryoshka-cosent", rows=_SCORED, dev=_SCORED_DEV, loss="CoSENTLoss", around="MatryoshkaLoss", columns=_SENTENCES),
    Training(name="best-kept", rows=_SCORED, dev=_SCORED_DEV, loss="CosineSimilarityLoss", columns=_SENTENCES, arguments={"load_best_model_at_end": True, "metric_for_best_model": "dev_spearman_cosine", "save_strategy": "steps", "save_steps": 40, "num_train_epochs": 6}),
    Training(name="several", rows=_PAIRS, more=_ANSWERS, dev=_PAIRS_DEV, loss="MultipleNegativesRankingLoss", evaluator="retrieval", columns=("anchor", "positive")),
    Training(name="fit-cosine", rows=_SCORED, dev=_SCORED_DEV, loss="CosineSimilarityLoss", fit=True),
    Training(name="fit-mnrl", rows=_PAIRS, dev=_PAIRS_DEV, loss="MultipleNegativesRankingLoss", evaluator="retrieval", fit=True),
    Training(name="fit-triplet", rows=_TRIPLETS, dev=_TRIPLETS_DEV, loss="TripletLoss", options=_COSINE_MARGIN, evaluator="triplet", fit=True),
    Training(name="fit-contrastive", rows=_LABELED, dev=_LABELED_DEV, loss="ContrastiveLoss", evaluator="binary", fit=True),
)  # fmt: skip
"""Sound trainings: whatever a check says against one of their cards is looked at by hand."""


def _turned(dataset: DataSet) -> DataSet:
    """Return the data set with each label on the other side of ½."""
    labels = [1 - label for label in dataset.rows.labels or ()]
    return replace(dataset, rows=replace(dataset.rows, labels=labels))


def _inverted(name: str, *, also_dev: bool = False) -> Training:
    """Return a training of the same name whose labels are inverted, and its dev set's if both are of one file."""
    sound = next(training for training in TRAININGS if training.name == name)
    dev = _turned(sound.dev) if also_dev else sound.dev
    return replace(sound, name=f"{name}-with-dev" if also_dev else name, rows=_turned(sound.rows), dev=dev)


INVERTED = (
    *map(_inverted, ("cosine", "cosent", "angle", "contrastive", "online-contrastive", "matryoshka-cosent")),
    _inverted("cosent", also_dev=True),
    _inverted("contrastive", also_dev=True),
)
"""Trainings with inverted labels: what of it does a card show? Their cards are in a folder of their own."""
