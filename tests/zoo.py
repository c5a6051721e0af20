"""A zoo of tiny true models: one folder per architecture, random weights, milliseconds each, no network.

Weights are drawn anew after construction, far larger than any default (see `_redraw`): with the usual
0.02 a tiny model gives all texts nearly the same embedding, and no fault of attention would be seen.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HIDDEN = 32
LIMIT = 64
"""Maximum tokens that every model reads, except `modernbert`, which reads `LONG_LIMIT`."""
LONG_LIMIT = 1024
WORDS = [
    "the", "a", "of", "and", "to", "in", "that", "it", "was", "on", "tenant", "landlord", "shall", "return",
    "keys", "deposit", "within", "ten", "days", "party", "agreement", "court", "law", "notice", "written",
    "dog", "cat", "house", "river", "rain", "train", "two", "three", "people", "walking", "beach", "small",
    "large", "red", "green", "old", "new", "reads", "writes", "says", "knows", "because", "never", "always",
]  # fmt: skip
"""Words that are one token each in every tokenizer here."""

_SHAPE: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": LIMIT,
}


# --- tokenizers -----------------------------------------------------------------------------------------


def _wordpiece(bare: Path) -> Any:
    """BERT's own: [CLS] text [SEP]."""
    from transformers import BertTokenizer

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary += [letter for letter in string.ascii_lowercase if letter not in vocabulary]
    vocabulary += [*string.digits, *string.punctuation, "é", "漢"]
    vocabulary += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
    (bare / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    return BertTokenizer(vocab=str(bare / "vocab.txt"), model_max_length=LIMIT)


def _unigram(bare: Path, *, single: str = "<s> $A </s>") -> Any:
    """As sentencepiece makes them: <s> 0, <pad> 1, </s> 2, <unk> 3, then pieces and log-probabilities."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    pieces = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces += [(f"▁{word}", -3.0 - index / 50) for index, word in enumerate(WORDS) if len(word) > 1]
    pieces += [(letter, -9.0) for letter in ("▁", *string.printable.strip(), "漢", "é")]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return _wrapped(tokenizer, single=single, bos="<s>", eos="</s>")


def _byte_level(bare: Path, *, single: str = "<s> $A </s>") -> Any:
    """Byte-level BPE, as GPT-2, RoBERTa and Qwen have it; trained here on the words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the " + " ".join(WORDS)] * 2, trainer)
    return _wrapped(tokenizer, single=single, bos="<s>", eos="</s>")


def _wrapped(tokenizer: Any, *, single: str, bos: str, eos: str) -> Any:
    """Give a tokenizer of the `tokenizers` library its special tokens; `single` is the template of a text."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    if single != "$A":
        special = [(token, tokenizer.token_to_id(token)) for token in (bos, eos) if token in single]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=special)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=LIMIT,
        model_input_names=["input_ids", "attention_mask"],
        bos_token=bos, eos_token=eos, pad_token="<pad>", unk_token="<unk>", cls_token=bos, sep_token=eos,
    )  # fmt: skip


# --- building blocks ------------------------------------------------------------------------------------


def _redraw(model: Any) -> None:
    """Draw all weights so that signals keep their size, attention is sharp, and no bias is zero."""
    import torch

    tables = {
        id(module.weight): name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding)
    }
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim < 2:
                weight.add_(0.05 * torch.randn_like(weight))
            elif "token_type" in tables.get(id(weight), ""):
                weight.normal_(std=0.2)  # all texts share it
            else:
                weight.normal_(std=1.0 if id(weight) in tables else 1.5 * weight.shape[-1] ** -0.5)


def _transformer(
    folder: Path,
    architecture: str,
    tokenizer: Callable[[Path], Any] = _wordpiece,
    *,
    limit: int = LIMIT,
    padding_side: str = "right",
    **config: Any,
) -> Any:
    """Make the first module of `architecture`, such as "Bert"; config: what differs from `_SHAPE`."""
    import torch
    import transformers
    from sentence_transformers.base.modules import Transformer

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    bare = folder.parent / f"{folder.name}-bare"
    bare.mkdir(parents=True, exist_ok=True)
    words = tokenizer(bare)
    words.padding_side = words.init_kwargs["padding_side"] = padding_side  # the latter is what is saved
    words.model_max_length = limit
    words.save_pretrained(bare)
    ids = {
        f"{name}_token_id": getattr(words, f"{name}_token_id") for name in ("pad", "bos", "eos", "cls", "sep")
    }
    kind = "TextConfig" if architecture == "Gemma3" else "Config"
    settings = getattr(transformers, architecture + kind)(
        vocab_size=len(words), **{**_SHAPE, **ids, **config}
    )
    suffix = {"T5": "EncoderModel", "Gemma3": "TextModel"}.get(architecture, "Model")
    model = getattr(transformers, architecture + suffix)(settings)
    _redraw(model)
    model.save_pretrained(bare)
    return Transformer(str(bare), max_seq_length=limit)


def _save(folder: Path, *modules: Any, **options: Any) -> Path:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(modules=list(modules), device="cpu", **options)
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def _model(
    folder: Path,
    architecture: str = "Bert",
    tokenizer: Callable[[Path], Any] = _wordpiece,
    *,
    pooling: Any = "mean",
    include_prompt: bool = True,
    normalize: bool = True,
    prompts: dict[str, str] | None = None,
    **config: Any,
) -> Path:
    """Save transformer, pooling and, where `normalize`, normalization: what most models are."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    transformer = _transformer(folder, architecture, tokenizer, **config)
    modules = [transformer, Pooling(HIDDEN, pooling, include_prompt=include_prompt)]
    return _save(folder, *modules, *([Normalize()] if normalize else []), prompts=prompts)


# --- what is not transformer, pooling, normalization ----------------------------------------------------


def _dense(folder: Path) -> Path:
    """Tokens to 24 dimensions, pooled, then to 16 through tanh."""
    import torch
    from sentence_transformers.base.modules import Dense
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    transformer = _transformer(folder, "Bert")
    tokens = Dense(HIDDEN, 24, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    return _save(folder, transformer, tokens, Pooling(24), Dense(24, 16), Normalize())


def _layers(folder: Path) -> Path:
    """A weighted mean of all layers' token embeddings."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling, WeightedLayerPooling

    transformer = _transformer(folder, "Bert", output_hidden_states=True)
    weights = torch.nn.Parameter(torch.tensor([0.5, 1.0, 2.0]))
    layers = WeightedLayerPooling(HIDDEN, num_hidden_layers=2, layer_start=0, layer_weights=weights)
    return _save(folder, transformer, layers, Pooling(HIDDEN))


def _word_weights(folder: Path) -> Path:
    """Pooling by the tokens' own weights, which need the attention mask."""
    from sentence_transformers.sentence_transformer.modules import Pooling, WordWeights

    transformer = _transformer(folder, "Bert")
    vocabulary = sorted(transformer.tokenizer.get_vocab(), key=transformer.tokenizer.get_vocab().get)
    weights = {word: 0.1 + index % 7 for index, word in enumerate(vocabulary)}
    return _save(folder, transformer, WordWeights(vocabulary, weights), Pooling(HIDDEN))


def _convolution(folder: Path) -> Path:
    """Each token's embedding mixed with its neighbors', padding or not: what no other batch reproduces."""
    from sentence_transformers.sentence_transformer.modules import CNN, Pooling

    transformer = _transformer(folder, "Bert")
    return _save(folder, transformer, CNN(HIDDEN, out_channels=HIDDEN, kernel_sizes=[3]), Pooling(HIDDEN))


def _role_lengths(folder: Path) -> Path:
    """Queries are cut after 16 tokens, documents after 48."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    transformer = _transformer(folder, "Bert")
    transformer.query_length, transformer.document_length = 16, 48
    return _save(folder, transformer, Pooling(HIDDEN))


def _static(folder: Path) -> Path:
    return _save(folder, _static_embedding())


def _static_embedding() -> Any:
    import torch
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(0)
    return StaticEmbedding(_unigram(Path(), single="$A"), embedding_dim=HIDDEN)


def _router(folder: Path) -> Path:
    """Queries through static embeddings, documents through a transformer."""
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    documents = [_transformer(folder, "Bert"), Pooling(HIDDEN)]
    return _save(folder, Router.for_query_document([_static_embedding()], documents), Normalize())


def _router_of_transformers(folder: Path) -> Path:
    """Queries and documents through transformers of their own."""
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sentence_transformer.modules import Pooling

    queries = [_transformer(folder.parent / f"{folder.name}-query", "Bert"), Pooling(HIDDEN)]
    documents = [
        _transformer(folder, "Roberta", _byte_level, max_position_embeddings=LIMIT + 2),
        Pooling(HIDDEN),
    ]
    return _save(folder, Router.for_query_document(queries, documents))


def _words(folder: Path) -> Path:
    """Word embeddings without any attention, from before transformers."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling, WordEmbeddings
    from sentence_transformers.sentence_transformer.modules.tokenizer import WhitespaceTokenizer

    torch.manual_seed(0)
    tokenizer = WhitespaceTokenizer(WORDS, stop_words=set(), do_lower_case=True)
    weights = torch.randn(len(WORDS), HIDDEN)
    return _save(folder, WordEmbeddings(tokenizer, weights, max_seq_length=LIMIT), Pooling(HIDDEN))


_PROMPTS = {"query": "written notice: ", "document": "the law says "}
_AFTER_PADDING: dict[str, Any] = {"max_position_embeddings": LIMIT + 2}
"""For RoBERTa and its relatives, whose positions are counted from after the padding's id, which is 1."""
_DECODER: dict[str, Any] = {"num_key_value_heads": 1, "head_dim": 16}
_causal = partial(_byte_level, single="$A </s>")

ZOO: dict[str, Callable[[Path], Path]] = {
    "bert": _model,
    "bert-cls": partial(_model, pooling="cls"),
    "bert-max": partial(_model, pooling="max", normalize=False),
    "bert-weightedmean": partial(_model, pooling="weightedmean"),
    "bert-sqrt": partial(_model, pooling="mean_sqrt_len_tokens", normalize=False),
    "bert-cls-mean": partial(_model, pooling=("cls", "mean"), normalize=False),
    "bert-prompts": partial(_model, prompts=_PROMPTS),
    "bert-prompts-excluded": partial(_model, prompts=_PROMPTS, include_prompt=False),
    "bert-dense": _dense,
    "bert-layers": _layers,
    "bert-word-weights": _word_weights,
    "bert-convolution": _convolution,
    "bert-role-lengths": _role_lengths,
    "roberta": partial(_model, architecture="Roberta", tokenizer=_byte_level, **_AFTER_PADDING),
    "xlm-roberta": partial(_model, architecture="XLMRoberta", tokenizer=_unigram, **_AFTER_PADDING),
    "distilbert": partial(
        _model, architecture="DistilBert", dim=HIDDEN, n_layers=2, n_heads=2, hidden_dim=64,
    ),
    "mpnet": partial(_model, architecture="MPNet", tokenizer=_unigram, **_AFTER_PADDING),
    "electra": partial(_model, architecture="Electra", embedding_size=16),
    "albert": partial(_model, architecture="Albert", tokenizer=_unigram, embedding_size=16),
    "deberta": partial(
        _model, architecture="DebertaV2", tokenizer=_unigram, relative_attention=True, position_buckets=8,
        pos_att_type=["p2c", "c2p"], norm_rel_ebd="layer_norm", share_att_key=True,
        position_biased_input=False,
    ),
    "modernbert": partial(
        _model, architecture="ModernBert", tokenizer=_byte_level, limit=LONG_LIMIT,
        max_position_embeddings=LONG_LIMIT, local_attention=8, global_attn_every_n_layers=2,
    ),
    "t5": partial(
        _model, architecture="T5", tokenizer=partial(_unigram, single="$A </s>"), d_model=HIDDEN, d_kv=16,
        d_ff=64, num_layers=2, num_heads=2, relative_attention_num_buckets=8,
        relative_attention_max_distance=20,
    ),
    "qwen3-left": partial(
        _model, architecture="Qwen3", tokenizer=_causal, pooling="lasttoken", padding_side="left",
        prompts=_PROMPTS, **_DECODER,
    ),
    "qwen2-left-mean": partial(
        _model, architecture="Qwen2", tokenizer=_causal, padding_side="left", num_key_value_heads=1,
    ),
    "llama-right": partial(_model, architecture="Llama", tokenizer=_causal, pooling="lasttoken", **_DECODER),
    "mistral-window": partial(
        _model, architecture="Mistral", tokenizer=_causal, pooling="lasttoken", sliding_window=8, **_DECODER,
    ),
    "gemma3-bidirectional": partial(
        _model, architecture="Gemma3", tokenizer=_byte_level, sliding_window=8,
        use_bidirectional_attention=True, layer_types=["sliding_attention", "full_attention"], **_DECODER,
    ),
    "gpt2": partial(_model, architecture="GPT2", tokenizer=_causal, pooling="weightedmean"),
    "gpt2-no-specials": partial(_model, architecture="GPT2", tokenizer=partial(_byte_level, single="$A")),
    "static": _static,
    "router": _router,
    "router-of-transformers": _router_of_transformers,
    "words": _words,
}  # fmt: skip
"""Name → function that saves the model to a folder which does not exist yet, and returns the folder."""
