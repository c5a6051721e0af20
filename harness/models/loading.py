"""Load a checked folder with sentence-transformers, and say what it lacks or leaves to assumptions."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.models.adapter import bases_of
from harness.models.fingerprint import model_folders
from harness.models.loading_report import recorded_reports
from harness.models.modules import is_model2vec, modules_of, read_configuration, transformer_folders
from harness.models.trust.weights import check_safetensors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import torch
    from sentence_transformers import SentenceTransformer

    from harness.models.interface import Settings
    from harness.models.loading_report import LoadingReport

_SMALL = 0.5
"""Minimum size of a tokenizer, as a share of the model's token embeddings: those are padded by a few percent.

A tokenizer that transformers makes up, where its files are missing, has about five tokens.
"""
_PROBES = ["A text that shows whether a weight matters.", "Another one, about the law of tenancy."]
_MAGNITUDE = "lora_magnitude_vector"
"""Part of the name of each weight by which DoRA, a kind of LoRA, scales the columns of a matrix."""
_HALF = {"torch.float16": "float16", "torch.bfloat16": "bfloat16"}


def load_folder(
    folder: Path, device: str, settings: Settings
) -> tuple[SentenceTransformer, tuple[Finding, ...]]:
    """Load a model folder, and return what is doubtful about it.

    Raises HarnessError where weights or most of the tokenizer are missing, and whatever the libraries raise.
    The weights are copied into memory: no later change of the files moves an embedding.
    """
    for each in (folder, *bases_of(folder)):
        for inner in model_folders(each):
            check_safetensors(inner)
    with recorded_reports() as reports:
        model = _open(folder, device, trust_remote_code=settings.trust_remote_code)
    _own_weights(model)
    _check_vocabulary(model, folder)
    _check_weights(model, reports, folder)
    return model, tuple(_findings(model, reports, folder, settings))


def loading_error(error: Exception, name: str, folder: Path) -> HarnessError:
    """Return the error for a model that the libraries cannot load, with their reason."""
    if isinstance(error, KeyError) and error.args == ("sentence_embedding",):
        return HarnessError(
            f"model {name} makes no embedding of a text: no module of {folder} pools those of its tokens",
            hint="add a Pooling to modules.json, with its folder",
        )
    return HarnessError(
        f"model {name} cannot be loaded from {folder}: {type(error).__name__}: {error}",
        hint="check that the folder is complete: sentence-transformers must be able to load it",
    )


def _open(folder: Path, device: str, *, trust_remote_code: bool) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if is_model2vec(folder):
        return SentenceTransformer(modules=_static_modules(folder), device=device)
    return SentenceTransformer(
        str(folder), device=device, trust_remote_code=trust_remote_code, local_files_only=True
    )


def _static_modules(folder: Path) -> list[torch.nn.Module]:
    """Return the modules that model2vec itself lists in a `modules.json` today."""
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    static = StaticEmbedding.load(str(folder), local_files_only=True)
    normalize = read_configuration(folder / "config.json").get("normalize", False)
    return [static, Normalize()] if normalize else [static]


def _own_weights(model: SentenceTransformer) -> None:
    """Copy weights that are pages of a file: to overwrite it would change them, or end the process."""
    import torch

    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.device.type == "cpu":
                tensor.data = tensor.data.clone()


def _transformers(model: SentenceTransformer) -> Iterator[Any]:
    """Yield the transformers among the modules of a model, those behind routes included."""
    from sentence_transformers.base.modules import Transformer

    return (module for module in model.modules() if isinstance(module, Transformer))


def _check_vocabulary(model: SentenceTransformer, folder: Path) -> None:
    """Raise HarnessError where a tokenizer has far fewer tokens than its model."""
    for module in _transformers(model):
        tokens, rows = _vocabulary(module)
        if tokens is not None and rows is not None and tokens < _SMALL * rows:
            raise HarnessError(
                f"the tokenizer of {folder} has {tokens:,} tokens, the model {rows:,}",
                hint="its files are missing or another model's: copy tokenizer.json, or vocab.txt, of the"
                " original",
            )


def _vocabulary(module: Any) -> tuple[int | None, int | None]:  # noqa: ANN401 - a Transformer
    """Return the tokens of a transformer's tokenizer, and of its embeddings; None where there are none."""
    try:
        rows = module.model.get_input_embeddings().weight.shape[0]
    except (AttributeError, NotImplementedError):
        rows = None
    return (None if module.tokenizer is None else len(module.tokenizer)), rows


def _check_weights(model: SentenceTransformer, reports: Sequence[LoadingReport], folder: Path) -> None:
    """Raise HarnessError where weights are in no file and matter, which shows when they are changed.

    Many checkpoints lack a pooling layer, or a head, that no embedding depends on.
    """
    weights = {name: weight for report in reports for name, weight in report.missing_weights().items()}
    if not weights:
        return
    before = _probe(model)
    mattering = [name for name, weight in weights.items() if _matters(model, weight, before)]
    if mattering and all(_MAGNITUDE in name for name in mattering):
        raise HarnessError(
            f"{folder} is a DoRA adapter, and this release of sentence-transformers or peft does not load"
            f" DoRA's magnitude vectors: {len(mattering)} of them would be drawn at random, such as"
            f" {mattering[0]}",
            hint="merge it into its base with peft itself: PeftModel.from_pretrained(base, adapter),"
            " model.merge_and_unload(), then save it",
        )
    if mattering:
        raise HarnessError(
            f"{len(mattering)} of the model's weights are in no file of {folder}:"
            f" {', '.join(mattering[:3])}{', …' if len(mattering) > 3 else ''}",
            exists="sentence-transformers draws them at random, and each load gives other embeddings",
            hint="copy or download the folder again; or config.json describes another model than the weights",
        )


def _matters(model: SentenceTransformer, weight: torch.Tensor, before: Sequence[np.ndarray]) -> bool:
    """Check whether embeddings change with a weight; restores it."""
    import torch

    if not weight.is_floating_point():
        return False
    original = weight.clone()
    with torch.no_grad():
        weight.add_(1 + torch.rand_like(weight))
        after = _probe(model)
        weight.copy_(original)
    return any(
        not np.allclose(new, old, rtol=1e-4, atol=1e-6, equal_nan=True)
        for new, old in zip(after, before, strict=True)
    )


def _probe(model: SentenceTransformer) -> list[np.ndarray]:
    """Return embeddings of a few texts in every role that the model has a route for."""
    rows = []
    for encode in (model.encode, model.encode_query, model.encode_document):
        # A router without a default raises for texts without a role.
        with contextlib.suppress(ValueError):
            rows.append(
                encode(_PROBES, convert_to_tensor=True, show_progress_bar=False).float().cpu().numpy()
            )
    return rows


def _findings(
    model: SentenceTransformer, reports: Sequence[LoadingReport], folder: Path, settings: Settings
) -> Iterator[Finding]:
    """Yield what sentence-transformers assumes or leaves out, and where we compute in another precision."""
    listed = (folder / "modules.json").is_file()
    if not listed and not is_model2vec(folder):
        yield _assumed_pooling(model)
    yield from (_assumed_mode(file) for file in _without_mode(folder))
    if listed and (lengths := _assumed_lengths(folder, model)):
        yield Finding(
            "assumed-length",
            Severity.WARNING,
            f"no sentence_bert_config.json says where texts are cut: after {lengths} tokens, as the tokenizer"
            " allows",
            "Give the length that the model was trained with: --max-seq-length.",
        )
    if (kind := _other_kind(folder)) is not None:
        yield Finding(
            "converted-model",
            Severity.WARNING,
            f"the folder is a {kind}: sentence-transformers takes its transformer, and assumes the pooling",
            f"These are not the embeddings that a {kind} gives: read the scores as another model's.",
        )
    if layers := [name for report in reports for name in report.unused_layers()]:
        yield Finding(
            "unused-layers",
            Severity.WARNING,
            f"config.json leaves out {len(layers)} weights of the files, such as {layers[0]}",
            "Check the number of layers in config.json.",
        )
    saved = {_HALF.get(str(parameter.dtype)) for parameter in model.parameters()} - {None, settings.dtype}
    if saved:
        yield Finding(
            "half-precision-weights",
            Severity.NOTE,
            f"the weights are saved in {', '.join(sorted(map(str, saved)))}; they are computed in"
            f" {settings.dtype}, where sentence-transformers computes in the precision of the file",
            f"--dtype {min(map(str, saved))} computes as it does; scores differ by its rounding.",
        )


def _assumed_pooling(model: SentenceTransformer) -> Finding:
    from sentence_transformers.sentence_transformer.modules import Pooling

    pooling = [module.pooling_mode for module in model.modules() if isinstance(module, Pooling)]
    how = f"{pooling[0]} pooling" if pooling else "the model's own output"
    return Finding(
        "assumed-pooling",
        Severity.WARNING,
        f"no modules.json says how embeddings are made: sentence-transformers assumes {how},"
        f" no normalization, and {model.max_seq_length} tokens",
        "Unless the model was trained so, use the folder that SentenceTransformer.save_pretrained() wrote,"
        " with 1_Pooling; of a hub model, fetch all files.",
    )


def _without_mode(folder: Path) -> Iterator[Path]:
    """Yield configurations of poolings that say no mode: a key may be misspelt."""
    for module in modules_of(folder):
        file = module.folder / "config.json"
        if module.name == "Pooling" and file.is_file():
            content = read_configuration(file)
            if not any(value for key, value in dict(content).items() if key.startswith("pooling_mode")):
                yield file


def _assumed_mode(file: Path) -> Finding:
    return Finding(
        "assumed-pooling",
        Severity.WARNING,
        f"{file.parent.name}/{file.name} says no pooling_mode: sentence-transformers assumes the mean",
        'Write "pooling_mode": "mean", or the one that the model was trained with.',
    )


def _assumed_lengths(folder: Path, model: SentenceTransformer) -> str:
    """Return the maximum tokens of a transformer without a configuration of its own; else an empty text."""
    if all(list(inner.glob("sentence_*_config.json")) for inner in transformer_folders(folder)):
        return ""
    return str(model.max_seq_length)


def _other_kind(folder: Path) -> str | None:
    """Return the class of a model that is not a SentenceTransformer, such as SparseEncoder."""
    file = folder / "config_sentence_transformers.json"
    content = read_configuration(file) if file.is_file() else None
    kind = content.get("model_type") if isinstance(content, dict) else None
    return str(kind) if kind not in (None, "SentenceTransformer") else None
