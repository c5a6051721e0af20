"""Small models without downloads: one in memory, and a folder of sentence-transformers."""

from __future__ import annotations

import hashlib
import string
from typing import TYPE_CHECKING

from harness.models.interface import ModelFacts, ModelSpec, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

_DIMENSIONS = 32
_TOKENS = 64
"""Maximum number of tokens of the saved model."""


class SmallModel:
    """Embeds a text as the sum of one fixed vector per word: deterministic, no weights, no network.

    Texts that share words are similar. Each role has vectors of its own, close to those of the others, so a
    task that mixes up its roles gets other answers. A text without words has an embedding of zeros.
    seed: another seed, another model.
    """

    def __init__(self, seed: int = 0) -> None:
        self.name = f"small-{seed}"
        self.fingerprint = hashlib.sha256(f"small model {seed}, v1".encode()).hexdigest()
        self.spec = ModelSpec("small", str(seed))
        self.facts = ModelFacts(dimensions=_DIMENSIONS, similarity="cosine", reproducible=True)
        self._seed = seed
        self._vectors: dict[tuple[str, Role], np.ndarray] = {}

    def load(self) -> SmallModel:
        """Return itself: there is nothing to load."""
        return self

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one row of length 1 per text, (len(texts), 32) float32; zeros for a text without words."""
        import numpy as np

        # Sums of whole numbers are exact, whatever their order.
        sums = np.zeros((len(texts), _DIMENSIONS), dtype=np.int64)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                sums[row] += self._vector(word, role)
        lengths = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
        embeddings: np.ndarray = (sums / np.maximum(lengths, 1)).astype(np.float32)
        return embeddings

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return cosine similarities: (n, m)."""
        similarity: np.ndarray = a @ b.T
        return similarity

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return cosine similarities: (n,)."""
        similarity: np.ndarray = (a * b).sum(axis=1)
        return similarity

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:  # noqa: ARG002
        """Return the number of words of each text: (n,)."""
        import numpy as np

        return np.array([len(text.split()) for text in texts], dtype=np.int64)

    def same_as(self, role: Role) -> Role:
        """Return the role itself: each is encoded apart."""
        return role

    def _vector(self, word: str, role: Role) -> np.ndarray:
        if (word, role) not in self._vectors:
            self._vectors[word, role] = 8 * self._drawn(word) + self._drawn(f"{role}\n{word}")
        return self._vectors[word, role]

    def _drawn(self, text: str) -> np.ndarray:
        import numpy as np

        digest = hashlib.sha256(f"{self._seed}\n{text}".encode(errors="surrogatepass")).digest()
        return np.frombuffer(digest, dtype=np.int8).astype(np.int64)


def build_small_model(folder: Path, seed: int = 0) -> Path:
    """Write a model folder with random weights, and return it: a BERT of 2 layers and 32 dimensions.

    It is what a trainer starts from in a test: sentence-transformers loads it, in milliseconds. Its words
    are single characters, and it reads 64 of them. seed: another seed, other weights.
    Raises FileExistsError for a folder that exists.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        characters = string.ascii_lowercase + string.digits + string.punctuation
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
        vocabulary += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
        bare = folder / "bare"
        bare.mkdir()
        (bare / "vocab.txt").write_text("\n".join(vocabulary))
        BertTokenizer(vocab=str(bare / "vocab.txt"), model_max_length=_TOKENS).save_pretrained(bare)
        config = BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=_DIMENSIONS,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=2 * _DIMENSIONS,
            max_position_embeddings=_TOKENS,
        )
        BertModel(config).save_pretrained(bare)
        modules = [Transformer(str(bare), max_seq_length=_TOKENS), Pooling(_DIMENSIONS, "mean"), Normalize()]
        model = SentenceTransformer(modules=modules, device="cpu", similarity_fn_name="cosine")
        model.save_pretrained(str(folder), create_model_card=False)
        for file in bare.iterdir():
            file.unlink()
        bare.rmdir()
    return folder
