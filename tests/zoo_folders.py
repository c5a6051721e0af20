"""Model folders as people have them: of older releases, without parts, with adapters, in half precision.

Each is made of a tiny true model of `zoo`, so that a fault shows in the embeddings.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from zoo import HIDDEN, WORDS, ZOO, _save, _static_embedding, _transformer, _unigram

OLD_MODELS = "sentence_transformers.models"
TEXTS = [" ".join(WORDS[start : start + 2 + start % 9]) for start in range(30)]
ST_FILES = ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json")


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def edit(file: Path, **changes: Any) -> None:
    write(file, {**(read(file) if file.is_file() else {}), **changes})


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def save_weights(folder: Path, tensors: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    copies = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    (folder / "model.safetensors").unlink(missing_ok=True)
    save_file(copies, folder / "model.safetensors", metadata={"format": "pt"})


def list_modules(folder: Path, *modules: tuple[str, str]) -> None:
    """Write `modules.json` of (path, class) pairs."""
    listed = [
        {"idx": index, "name": str(index), "path": path, "type": kind}
        for index, (path, kind) in enumerate(modules)
    ]
    write(folder / "modules.json", listed)


def _of_version_2(folder: Path, *, nested: bool = False, mode: str = "mean_tokens", **config: Any) -> Path:
    """As sentence-transformers 2 wrote it; nested: as releases before, with the transformer in a folder."""
    ZOO["bert"](folder)
    path = "0_Transformer" if nested else ""
    if nested:
        (folder / path).mkdir()
        for file in [*folder.glob("*.*")]:
            if file.is_file() and file.name not in ST_FILES[:2]:
                file.rename(folder / path / file.name)
    poolings = dict.fromkeys(("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"), False)
    modes = {f"pooling_mode_{name}": name == mode for name in poolings}
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, **modes})
    write(folder / path / "sentence_bert_config.json", {"max_seq_length": 48, "do_lower_case": False})
    versions = {"sentence_transformers": "2.2.2", "transformers": "4.25.1", "pytorch": "1.13.0"}
    write(folder / "config_sentence_transformers.json", {"__version__": versions, **config})
    # A folder without files is in no git repository: that of Normalize is missing in most downloads.
    list_modules(
        folder,
        (path, f"{OLD_MODELS}.Transformer"),
        ("1_Pooling", f"{OLD_MODELS}.Pooling"),
        ("2_Normalize", f"{OLD_MODELS}.Normalize"),
    )
    shutil.rmtree(folder / "2_Normalize", ignore_errors=True)
    return folder


def _of_version_3(folder: Path) -> Path:
    prompts = {"query": "written notice: ", "document": "the law says "}
    _of_version_2(folder, prompts=prompts, default_prompt_name=None, similarity_fn_name="cosine")
    edit(folder / "config_sentence_transformers.json", __version__={"sentence_transformers": "3.4.1"})
    return folder


def _plain(folder: Path) -> Path:
    """As transformers saves it."""
    ZOO["bert"](folder)
    for name in ST_FILES:
        (folder / name).unlink()
    shutil.rmtree(folder / "1_Pooling")
    shutil.rmtree(folder / "2_Normalize", ignore_errors=True)
    return folder


def _model2vec(folder: Path, *, quantized: bool = False, normalize: bool = True) -> Path:
    """As model2vec wrote it without a `modules.json`; quantized: fewer rows than tokens, with weights."""
    import torch

    tokenizer = _unigram(folder.parent, single="$A").backend_tokenizer
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    rows = tokenizer.get_vocab_size()
    tensors = {"embeddings": torch.randn(rows // 2 if quantized else rows, HIDDEN)}
    if quantized:
        tensors["mapping"] = torch.arange(rows) % (rows // 2)
        tensors["weights"] = torch.rand(rows, dtype=torch.float64) + 0.1
    save_weights(folder, tensors)
    write(
        folder / "config.json",
        {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": normalize},
    )
    return folder


def _model2vec_listed(folder: Path) -> Path:
    """As model2vec writes it today."""
    _model2vec(folder)
    list_modules(folder, (".", f"{OLD_MODELS}.StaticEmbedding"), ("1_Normalize", f"{OLD_MODELS}.Normalize"))
    return folder


def _adapter(folder: Path, *, listed: bool = True) -> Path:
    """An adapter on a local base, as sentence-transformers saves it; not listed: as peft does."""
    import torch
    from peft import LoraConfig
    from sentence_transformers import SentenceTransformer

    base = _plain(folder.parent / f"{folder.name}-base")
    model = SentenceTransformer(str(base), device="cpu")
    torch.manual_seed(1)
    model.add_adapter(LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False))
    model.save_pretrained(str(folder), create_model_card=False)
    if not listed:
        for name in ST_FILES:
            (folder / name).unlink()
        shutil.rmtree(folder / "1_Pooling")
    return folder


def _matryoshka(folder: Path) -> Path:
    edit(ZOO["bert-max"](folder) / "config_sentence_transformers.json", truncate_dim=16)
    return folder


def _half(folder: Path, dtype: str) -> Path:
    import torch

    ZOO["bert"](folder)
    save_weights(folder, {name: tensor.to(getattr(torch, dtype)) for name, tensor in weights(folder).items()})
    edit(folder / "config.json", dtype=dtype)
    return folder


def _sharded(folder: Path) -> Path:
    from transformers import AutoModel

    ZOO["bert"](folder)
    model = AutoModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    return folder


def _exported(folder: Path) -> Path:
    """Weights, and what other runtimes read beside them."""
    ZOO["bert"](folder)
    for name in ("onnx/model.onnx", "openvino/openvino_model.xml", "tf_model.h5", "rust_model.ot"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"never read")
    return folder


def _without_pooler(folder: Path) -> Path:
    """Without the head of pretraining, on which no embedding depends; many checkpoints have none."""
    ZOO["bert-cls"](folder)
    save_weights(folder, {name: rows for name, rows in weights(folder).items() if "pooler" not in name})
    return folder


def _prefixed(folder: Path) -> Path:
    """As a model for masked words saves it: `bert.` before each name, and a head that is not used."""
    _plain(folder)
    tensors = weights(folder)
    head = {"cls.predictions.bias": tensors["embeddings.word_embeddings.weight"][:, 0]}
    kept = {f"bert.{name}": rows for name, rows in tensors.items() if "pooler" not in name}
    save_weights(folder, {**kept, **head})
    return folder


def _asym(folder: Path) -> Path:
    """As sentence-transformers 2 saved heads of their own for queries and documents."""
    import torch
    from sentence_transformers.base.modules import Dense, Router
    from sentence_transformers.sentence_transformer.modules import Pooling

    torch.manual_seed(0)
    heads = {role: [Dense(HIDDEN, 16)] for role in ("query", "document")}
    _save(folder, _transformer(folder, "Bert"), Pooling(HIDDEN), Router(heads, default_route="document"))
    router = read(folder / "modules.json")[2]["path"]
    content = read(folder / router / "router_config.json")
    content["types"] = dict.fromkeys(content["types"], f"{OLD_MODELS}.Dense")
    write(folder / router / "config.json", content)
    (folder / router / "router_config.json").unlink()
    modules = read(folder / "modules.json")
    modules[2]["type"] = f"{OLD_MODELS}.Asym"
    write(folder / "modules.json", modules)
    return folder


def _bag_of_words(folder: Path) -> Path:
    from sentence_transformers.sentence_transformer.modules import BoW

    return _save(folder, BoW(WORDS, {word: 0.5 + len(word) for word in WORDS}))


def _static_and_dense(folder: Path) -> Path:
    import torch
    from sentence_transformers.base.modules import Dense

    torch.manual_seed(0)
    return _save(folder, _static_embedding(), Dense(HIDDEN, 16))


FOLDERS: dict[str, Callable[[Path], Path]] = {
    "version-1": partial(_of_version_2, nested=True),
    "version-2": _of_version_2,
    "version-2-cls": partial(_of_version_2, mode="cls_token"),
    "version-2-max": partial(_of_version_2, mode="max_tokens"),
    "version-3": _of_version_3,
    "plain": _plain,
    "masked-words": _prefixed,
    "without-pooler": _without_pooler,
    "model2vec": _model2vec,
    "model2vec-quantized": partial(_model2vec, quantized=True, normalize=False),
    "model2vec-listed": _model2vec_listed,
    "adapter": _adapter,
    "adapter-plain": partial(_adapter, listed=False),
    "matryoshka": _matryoshka,
    "float16": partial(_half, dtype="float16"),
    "bfloat16": partial(_half, dtype="bfloat16"),
    "sharded": _sharded,
    "exported": _exported,
    "asym": _asym,
    "bag-of-words": _bag_of_words,
    "static-dense": _static_and_dense,
}
"""Name → function that saves the model to a folder which does not exist yet, and returns the folder."""

FINDINGS = {
    "plain": ["assumed-pooling"],
    "masked-words": ["assumed-pooling"],
    "adapter-plain": ["assumed-pooling"],
    "float16": ["half-precision-weights"],
    "bfloat16": ["half-precision-weights"],
}
"""Name → codes of the findings; none for the others."""


def load_original(folder: Path) -> Any:
    """Load a folder with sentence-transformers alone, in float32."""
    import torch
    from sentence_transformers import SentenceTransformer

    if folder.name.startswith("model2vec") and not (folder / "modules.json").is_file():
        # What model2vec writes today into such a folder.
        copy = folder.parent / f"{folder.name}-listed"
        if not copy.is_dir():
            shutil.copytree(folder, copy)
            normalize = [("1_Normalize", f"{OLD_MODELS}.Normalize")]
            modules = normalize if read(copy / "config.json")["normalize"] else []
            list_modules(copy, (".", f"{OLD_MODELS}.StaticEmbedding"), *modules)
        folder = copy
    return SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32}
    )


def in_cache(folder: Path, cache: Path, name: str = "org/base") -> Path:
    """Copy a model into a hub's cache: blobs, and a snapshot of links to them; return the snapshot."""
    repository = cache / f"models--{name.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    (repository / "blobs").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for number, file in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
        blob = repository / "blobs" / f"{number:040x}"
        shutil.copy(file, blob)
        link = repository / "snapshots" / commit / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return repository / "snapshots" / commit


def take_the_tokenizer_from_elsewhere(folder: Path) -> Path:
    """Have a tokenizer's configuration name a file beside the model, which transformers opens."""
    elsewhere = folder.parent / "elsewhere" / "tokenizer.4.0.0.json"
    elsewhere.parent.mkdir()
    shutil.copy(folder / "tokenizer.json", elsewhere)
    edit(folder / "tokenizer_config.json", fast_tokenizer_files=[f"../elsewhere/{elsewhere.name}"])
    return elsewhere


def drop(*names: str) -> Callable[[Path], None]:
    """Remove files and folders of a model."""

    def removing(folder: Path) -> None:
        for name in names:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return removing
