"""Configurations that name code, or files outside the folder, are refused before anything is loaded."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest
import sentence_transformers

from harness import HarnessError
from harness.models.trust.configuration import _MODULE, MODULES, check_configurations

LIBRARY = "sentence_transformers"
WORDS = f"{LIBRARY}.sentence_transformer.modules.tokenizer"


@pytest.fixture
def configured(tmp_path):
    """Write a JSON file and check its folder."""

    def looking(name, content, *, trusted=False):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        check_configurations(tmp_path, trusted=trusted)

    return looking


def module(kind, path=""):
    return [{"idx": 0, "name": "0", "path": path, "type": kind}]


CODE = [
    ("config.json", {"auto_map": {"AutoModel": "evil.Model"}}, "evil.Model"),
    ("config.json", {"auto_map": {"AutoModel": "org/other--evil.Model"}}, "org/other--evil.Model"),
    ("config.json", {"text_config": {"auto_map": {"a": "evil.B"}}}, "evil.B"),
    ("tokenizer_config.json", {"auto_map": ["evil.A", None]}, "evil.A"),
    ("preprocessor_config.json", {"auto_map": {"a": "evil.P"}}, "evil.P"),
    ("CONFIG.JSON", {"auto_map": {"a": "evil.P"}}, "evil.P"),
    ("tokenizer_config.json", {"tokenizer_class": "os.system"}, "os.system"),
    ("wordembedding_config.json", {"tokenizer_class": f"{LIBRARY}.base.model.torch"}, "base.model.torch"),
    ("config.json", {"activation_function": "os.getcwd"}, "os.getcwd"),
    ("config.json", {"activation_function": "torch.utils.x.Y"}, "torch.utils.x.Y"),
    ("config.json", {"_attn_implementation": "org/kernel"}, "org/kernel"),
    ("modules.json", module("evil.Module"), "'evil.Module'"),
    ("modules.json", module("sentence_transformersx.models.Pooling"), "rsx.models"),
    ("modules.json", module(f"{LIBRARY}.util.file_io.http_get"), "http_get"),
    ("modules.json", module(f"{LIBRARY}.base.model.torch"), "torch"),
    ("modules.json", module(f"{LIBRARY}.models.Pooling\n"), "Pooling"),
    ("router_config.json", {"types": {"q": "evil.Route"}}, "evil.Route"),
    ("config.json", {"types": {"q": "evil.Route"}}, "evil.Route"),
    ("sentence_bert_config.json", {"model_args": {"use_safetensors": False}}, "use_safetensors"),
    ("sentence_bert_config.json", {"model_kwargs": {"weights_only": False}}, "weights_only"),
    ("sentence_xlm-roberta_config.json", {"model_kwargs": {"gguf_file": "x"}}, "gguf_file"),
    ("sentence_bert_config.json", {"modality_config": {"text": {"method": "push_to_hub"}}}, "push_to_hub"),
]


@pytest.mark.parametrize(("name", "content", "named"), CODE)
def test_custom_code_is_refused_with_its_name_and_accepted_if_trusted(name, content, named, configured):
    with pytest.raises(HarnessError) as error:
        configured(name, content)
    assert name in error.value.message
    assert named in error.value.message
    assert "--trust-remote-code" in error.value.hint
    configured(name, content, trusted=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("modules.json", module(f"{LIBRARY}.models.Pooling", "../other"), "points outside"),
        ("modules.json", module(f"{LIBRARY}.models.Pooling", "/tmp"), "points outside"),
        ("modules.json", module(f"{LIBRARY}.models.Pooling", "C:\\x"), "points outside"),
        ("modules.json", module(f"{LIBRARY}.models.Pooling", "a\0b"), "points outside"),
        ("router_config.json", {"types": {"../q": f"{LIBRARY}.models.Dense"}}, "points outside"),
        ("modules.json", module(f"{LIBRARY}.models.Dense", "onnx"), "left out of"),
        ("sentence_bert_config.json", {"tokenizer_name_or_path": "org/other"}, "from outside"),
        ("config.json", {"transformers_weights": "adapter_model.bin"}, "takes its weights"),
        ("config.json", {"transformers_weights": "../x.safetensors"}, "takes its weights"),
        ("modules.json", [{"type": 1, "path": ""}], "cannot be read"),
        ("modules.json", [{}], "cannot be read"),
        ("modules.json", 1, "cannot be read"),
        ("router_config.json", {"types": 1}, "cannot be read"),
        ("config.json", "{", "cannot be read"),
        ("config.json", "[" * 100_000, "levels of nesting"),
    ],
)
@pytest.mark.parametrize("trusted", [False, True])
def test_outside_files_and_invalid_content_are_refused_even_if_code_is_trusted(
    name, content, message, trusted, configured
):
    with pytest.raises(HarnessError, match=message):
        configured(name, content, trusted=trusted)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", {"architectures": ["BertModel"], "_attn_implementation": "sdpa"}),
        ("config.json", {"activation_function": "gelu_new"}),
        ("config.json", {"activation_function": "torch.nn.modules.activation.Tanh"}),
        ("config.json", {"auto_map": {}, "types": ["a"], "method": "bicubic", "x": float("inf")}),
        ("tokenizer_config.json", {"tokenizer_class": "BertTokenizer"}),
        ("wordembedding_config.json", {"tokenizer_class": f"{WORDS}.whitespace.WhitespaceTokenizer"}),
        ("wordembedding_config.json", {"tokenizer_class": f"{LIBRARY}.models.tokenizer.PhraseTokenizer"}),
        ("sentence_bert_config.json", {"model_args": {"dtype": "float32", "use_safetensors": True}}),
        ("sentence_bert_config.json", {"modality_config": {"text": {"method": "get_text_features"}}}),
        ("modules.json", module(f"{LIBRARY}.models.Transformer.Transformer")),
        ("tokenizer.json", "not looked at: {"),
        ("training.json", {"vocab": "words", "train_file": __file__, "init_inputs": ["a"]}),
        ("tokenizer_config.json", {"vocab_file": "/nowhere/vocab.txt", "fast_tokenizer_files": []}),
        ("tokenizer_config.json", {"fast_tokenizer_files": ["tokenizer.4.0.0.json"], "init_inputs": []}),
    ],
)
def test_usual_configurations_are_accepted(name, content, configured):
    configured(name, content)


def test_the_allowed_modules_are_those_of_sentence_transformers():
    """A class that the library adds is to be looked at, and added to ours."""
    import torch

    classes = {}
    for kind in ("base", "sentence_transformer", "sparse_encoder", "multi_vector_encoder", "cross_encoder"):
        package = importlib.import_module(f"{LIBRARY}.{kind}.modules")
        names = [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        for name in [package.__name__, *names]:
            for member in vars(importlib.import_module(name)).values():
                if (
                    isinstance(member, type)
                    and issubclass(member, torch.nn.Module)
                    and member.__module__ == name
                ):
                    classes[member.__name__] = f"{name}.{member.__name__}"
    never_saved = {"Module", "InputModule", "BaseTokenPooling", "LambdaTokenPooling", "TiedTranspose"}
    assert set(classes) - never_saved == MODULES - {"Asym"}
    assert [path for name, path in classes.items() if name in MODULES and not _MODULE.fullmatch(path)] == []
    assert sentence_transformers.__version__.startswith("6."), "check again what it loads"
