"""Train a tiny BERT in many ways with today's sentence-transformers, and keep the card of each training.

    python -m benchmarks.checks.cards.make                    # all of them, into this folder: minutes
    python -m benchmarks.checks.cards.make 'mnrl*'
    python -m benchmarks.checks.cards.make 'inverted/*'

The model begins with random weights, learns the words of generated rows within seconds, and is thrown away.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.checks.cards.trainings import INVERTED, TRAININGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentence_transformers import SentenceTransformer

    from benchmarks.checks.cards.trainings import Training

FOLDER = Path(__file__).parent
FOLDER_OF_INVERTED = "inverted"
LAYERS, WIDTH, LONGEST = 2, 64, 96


def main() -> None:
    """Make the cards whose name matches."""
    pattern = sys.argv[1] if len(sys.argv) > 1 else "*"
    named = {training.name: training for training in TRAININGS}
    named |= {f"{FOLDER_OF_INVERTED}/{training.name}": training for training in INVERTED}
    for name, training in named.items():
        if fnmatchcase(name, pattern):
            file = FOLDER / f"{name}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(card_of(training), encoding="utf-8")
            print(name, f"{time.process_time():.0f} s", flush=True)


def card_of(training: Training) -> str:
    """Train, and return the card without names of this machine's folders."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(1)
        model = tiny_model(Path(folder), training.words(), normalize=training.normalize)
        training.run(model, Path(folder) / "out")
        model.save_pretrained(str(Path(folder) / "model"))
        files = [Path(folder) / "out" / "README.md", Path(folder) / "model" / "README.md"]
        # `fit` writes the card of its best evaluation into its own folder; that is what people publish.
        file = files[0] if training.fit and files[0].is_file() else files[1]
        return re.sub(rf"{re.escape(folder)}\S*", "a-folder", file.read_text(encoding="utf-8"))


def tiny_model(folder: Path, texts: Iterable[str], *, normalize: bool) -> SentenceTransformer:
    """Return a model of random weights whose vocabulary is the words of the texts."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = sorted({word for text in texts for word in re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]", text.lower())})
    bare = folder / "bare"
    bare.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (bare / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(bare / "vocab.txt"), model_max_length=LONGEST).save_pretrained(bare)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=2,
        intermediate_size=2 * WIDTH, max_position_embeddings=LONGEST,
    )  # fmt: skip
    BertModel(config).save_pretrained(bare)
    modules: list[Any] = [Transformer(str(bare), max_seq_length=LONGEST), Pooling(WIDTH, "mean")]
    if normalize:
        modules.append(Normalize())
    return SentenceTransformer(modules=modules, device="cpu")


if __name__ == "__main__":
    main()
