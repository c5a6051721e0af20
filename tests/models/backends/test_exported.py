"""OpenVINO and ONNX Runtime give what sentence-transformers gives, and say how far lower precision is off."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo import LIMIT, WORDS, ZOO

from harness import HarnessError, Role, Settings, load_model
from harness.models.backends import UnsuitableBackendError, exported

INSTALLED = {"openvino": ("openvino",), "onnx": ("onnxruntime", "onnx", "onnxscript")}
TEXTS = [
    "", "a", "Ünïcode 漢字 🙂", "x" * 500,
    *(" ".join(WORDS[(3 * count + step) % len(WORDS)] for step in range(count)) for count in range(0, 71, 3)),
    *(" ".join(WORDS[step % len(WORDS)] for step in range(count)) for count in range(LIMIT - 4, LIMIT + 2)),
]  # fmt: skip
LIKE_ENCODE = {
    "openvino": (
        "bert", "bert-cls", "bert-max", "bert-layers", "bert-prompts-excluded", "bert-dense",
        "bert-word-weights", "xlm-roberta", "distilbert", "mpnet", "t5", "modernbert", "gpt2",
    ),
    "onnx": ("bert-cls", "bert-layers", "modernbert"),
}  # fmt: skip
SECONDS = {("modernbert", "onnx")}
"""What takes longest to convert."""
CASES = [
    pytest.param(name, backend, marks=[pytest.mark.slow] * ((name, backend) in SECONDS))
    for backend, names in LIKE_ENCODE.items()
    for name in names
]


def needs(backend):
    """Skip where an extra is not installed; finds, and does not import: OpenVINO would report that home."""
    if not all(find_spec(module) for module in INSTALLED[backend]):
        pytest.skip(f"needs the extra `{backend}`")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Models of the zoo, each opened once: (name, backend, changes of the settings) → model."""
    root, folders, models = tmp_path_factory.mktemp("backends"), {}, {}

    def open_once(name, backend, **changes):
        needs(backend)
        if name not in folders:
            folders[name] = ZOO[name](root / name)
        asked = name, backend, *sorted(changes.items())
        if asked not in models:
            models[asked] = load_model(folders[name], device="cpu", backend=backend, **changes)
        return models[asked]

    return open_once


def original(model):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model.spec.location, device="cpu", local_files_only=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backend"), CASES)
def test_a_backend_equals_sentence_transformers(opened, name, backend):
    model = opened(name, backend)
    assert model.facts.backend == backend
    assert model.facts.deviation is None
    ours, theirs = model.encode(TEXTS, Role.QUERY), original(model).encode_query(TEXTS)
    lengths = np.linalg.norm(theirs.astype(float), axis=1)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 1e-5 * lengths.max()
    cosine = np.einsum("ij,ij->i", ours, theirs, dtype=float) / lengths / np.linalg.norm(ours, axis=1)
    assert np.nanmax(1 - cosine) <= 1e-6  # texts without a token have no direction


ALONE = [
    ("bert-cls", "openvino", "float32"), ("mpnet", "openvino", "float32"),
    ("bert-cls", "openvino", "bfloat16"), ("bert-cls", "onnx", "float32"), ("bert-cls", "onnx", "int8"),
    pytest.param("modernbert", "onnx", "float32", marks=pytest.mark.slow),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backend", "dtype"), ALONE)
def test_neither_other_texts_nor_order_change_a_bit_of_an_embedding(opened, name, backend, dtype):
    if dtype == "bfloat16":
        needs_bfloat16(opened)
    model = opened(name, backend, **({} if dtype == "float32" else {"dtype": dtype, "allow_deviation": True}))
    together = model.encode(TEXTS)

    @settings(max_examples=20)
    @given(st.lists(st.sampled_from(range(len(TEXTS))), min_size=1, max_size=12))
    def check(rows):
        assert np.array_equal(model.encode([TEXTS[row] for row in rows]), together[rows])

    check()


def needs_bfloat16(opened):
    opened("bert-cls", "openvino")  # which imports OpenVINO our way

    try:
        opened("bert-cls", "openvino", dtype="bfloat16", allow_deviation=True)
    except HarnessError as error:
        assert "this processor does not compute in it" in str(error)
        pytest.skip("needs a processor that computes in bfloat16")


@pytest.mark.slow
def test_int8_that_moves_embeddings_too_far_is_an_error(opened):
    with pytest.raises(HarnessError, match="int8 moves embeddings by up to") as raised:
        opened("bert-cls", "onnx", dtype="int8")
    assert "--allow-deviation" in str(raised.value)


def test_int8_that_was_allowed_says_how_far_it_moves_embeddings(opened):
    exact = opened("bert-cls", "onnx").encode(TEXTS)
    model = opened("bert-cls", "onnx", dtype="int8", allow_deviation=True)
    deviation = model.facts.deviation
    moved = 1 - np.einsum("ij,ij->i", exact, model.encode(TEXTS), dtype=float)
    assert 1e-3 < deviation.largest < 0.3
    assert 1e-4 < moved.max() < 0.3
    assert 0 < deviation.neighbors <= 1


def test_bfloat16_in_openvino_is_near_float32_and_not_the_same(opened):
    exact = opened("bert-cls", "openvino").encode(TEXTS)
    needs_bfloat16(opened)
    model = opened("bert-cls", "openvino", dtype="bfloat16", allow_deviation=True)
    moved = 1 - np.einsum("ij,ij->i", exact, model.encode(TEXTS), dtype=float)
    assert 1e-7 < moved.max() < 1e-2
    assert model.facts.deviation.largest < 1e-2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "dtype", "supported"),
    [
        ("openvino", "float16", "float32 and bfloat16"),
        ("openvino", "int8", "float32 and bfloat16"),
        ("onnx", "bfloat16", "float32 and int8"),
    ],
)
def test_an_unsupported_precision_is_an_error_that_names_the_supported_ones(
    opened, backend, dtype, supported
):
    with pytest.raises(
        HarnessError, match=f"{dtype} is not possible with backend {backend}: it supports {supported}"
    ):
        opened("bert-cls", backend, dtype=dtype)


@pytest.mark.parametrize("name", ["static", "router"])
def test_a_model_that_does_not_begin_with_a_transformer_is_an_error(opened, name):
    with pytest.raises(
        HarnessError, match=f"openvino cannot serve model {name}: it does not begin with a transformer"
    ):
        opened(name, "openvino")


@pytest.mark.parametrize(
    ("backend", "module"),
    [("openvino", "openvino"), ("onnx", "onnxruntime"), ("onnx", "onnx"), ("onnx", "onnxscript")],
)
def test_a_missing_extra_is_an_error_that_says_how_to_install_it(monkeypatch, tiny, backend, module):
    monkeypatch.setitem(sys.modules, module, None)
    needs = f"backend {backend} needs {module}, which is not installed"
    with pytest.raises(
        HarnessError, match=f"{needs}\n  hint: pip install 'embedding-harness\\[{backend}\\]'"
    ):
        load_model(str(tiny), device="cpu", backend=backend)


def test_a_conversion_that_fails_is_a_reason_and_not_a_traceback(monkeypatch, tiny):
    def fail(*_):
        raise ZeroDivisionError

    class Broken(exported.Exported):
        _convert = _transform = fail

    from harness.models.backends.backend_model import BackendModel

    model = original(load_model(str(tiny), device="cpu", backend="plain"))
    with pytest.raises(UnsuitableBackendError, match="ZeroDivisionError in its conversion"):
        Broken(BackendModel(model, Settings(), "tiny"))


ALONE_AND_SIGNALLED = """
import gc, os, signal, socket, sys
tried, heard = [], []
def refuse(*arguments, **options):
    tried.append(arguments)
    raise OSError("offline")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from harness import load_model
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
models = [load_model(sys.argv[1], device="cpu", backend=sys.argv[2]) for _ in range(int(sys.argv[3]))]
while models:
    models.pop().encode(["a text"])
    gc.collect()
    os.kill(os.getpid(), signal.SIGUSR1)  # ended models once left a handler that crashed
assert not tried, tried
print(len(heard))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "models"), [("openvino", 2), pytest.param("onnx", 1, marks=pytest.mark.slow)]
)
def test_a_backend_tries_no_network_leaves_nothing_in_the_home_folder_and_lets_signals_be_heard(
    backend, models, tiny, tmp_path
):
    needs(backend)
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(), temporary.mkdir()
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE_AND_SIGNALLED, str(tiny), backend, str(models)],
        env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert (run.stdout, run.stderr) == (f"{models}\n", "")
    # Their own reporting, which is native code, would begin by an identity and a queue on disk.
    assert [path for path in (*home.rglob("*"), *temporary.rglob("*")) if path.is_file()] == []
