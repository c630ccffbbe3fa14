"""Values of torch, jax, TensorFlow and Keras arrive as these libraries say they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from orgboard._kinds.counting import tensorflow_edges
from orgboard._values import device_counts, jax_arrays, torch_tensors
from orgboard._values.arrays import snapshot, take, to_number
from orgboard._values.late import settle
from support.frameworks import framework
from support.logged_runs import Logged, events, scalars

torch = framework("torch")
jax = framework("jax")
tf = framework("tensorflow")
keras = framework("keras")

FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
WHOLE = ["int64", "int32", "int16", "int8", "uint8", "bool"]
EDGES = tensorflow_edges()


def values_in(directory: Path) -> list[Any]:
    found = [value for event in events(directory) for value in event.summary.value]
    return [value for value in found if not value.tag.startswith(b"orgboard/")]


@pytest.mark.parametrize("dtype", FLOATS + WHOLE)
def test_a_torch_tensor_of_any_real_type_keeps_its_values(dtype: str) -> None:
    tensor = (torch.arange(-4, 8).reshape(3, 4) / 4).to(getattr(torch, dtype))

    taken = snapshot(tensor)

    assert taken.dtype.kind in "biuf"
    assert taken.astype(np.float64).tolist() == tensor.double().tolist()
    assert to_number(tensor[2, 3]) == tensor[2, 3].item()


VIEWS = {
    "transposed": lambda: torch.arange(6.0).reshape(2, 3).t(),
    "strided": lambda: torch.arange(6.0)[::2],
    "expanded": lambda: torch.ones(1).expand(3),
    "with gradient": lambda: torch.ones(3, requires_grad=True),
    "parameter": lambda: torch.nn.Parameter(torch.ones(3)),
    "conjugate": lambda: torch.tensor([1 + 2j]).conj().imag,
    "sparse": lambda: torch.eye(3).to_sparse(),
    "csr": lambda: torch.eye(3).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.5, 0, torch.qint8),
    "mkldnn": lambda: torch.ones(3).to_mkldnn(),
    "in inference": lambda: torch.inference_mode()(torch.ones)(3),
    "empty": lambda: torch.ones(0),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_torch_tensor_of_any_form_keeps_its_values(name: str) -> None:
    tensor = VIEWS[name]()
    plain = tensor.detach()
    if plain.is_quantized:
        plain = plain.dequantize()
    elif plain.layout != torch.strided:
        plain = plain.to_dense()

    assert snapshot(tensor).tolist() == plain.tolist()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_torch_tensor_is_the_one_of_the_call(tmp_path: Path, dtype: str) -> None:
    tensor = torch.ones(4, dtype=getattr(torch, dtype))
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("h", tensor)
        writer.add_tensor("t", tensor)
        tensor.add_(1)

    histogram, whole = values_in(tmp_path)
    assert histogram.histo.max == 1.0
    width = 4 if dtype == "float32" else 2
    one = np.float32(1).tobytes()[-width:]
    assert whole.tensor.tensor_content == one * 4


def test_tensors_without_values_are_refused_with_the_reason() -> None:
    for tensor in (torch.ones((), device="meta"), torch.ones(3, device="meta")):
        for read in (take, to_number):
            with pytest.raises(TypeError, match="no values"):
                read(tensor)
    with pytest.raises(ValueError, match="coalesce"):
        take(torch.eye(2).to_sparse().sparse_resize_((1 << 14, 1 << 14), 2, 0))


def test_lists_of_tensors_are_arrays() -> None:
    tensors = [torch.tensor(1.0, requires_grad=True), torch.tensor(2.0)]

    assert snapshot(tensors).tolist() == [1.0, 2.0]
    assert snapshot([tensors, tensors]).tolist() == [[1.0, 2.0]] * 2
    assert snapshot([jax.numpy.ones(2)]).tolist() == [[1.0, 1.0]]


SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-39]


def sample(dtype: str) -> Any:
    values = np.random.default_rng(0).standard_normal(30_000) * 3
    values = np.concatenate([values, EDGES, np.nextafter(EDGES, 1), np.nextafter(EDGES, -1)])
    return torch.from_numpy(np.concatenate([values, SPECIAL])).to(getattr(torch, dtype))


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "uint8"])
@pytest.mark.parametrize("block", [1000, 1 << 21])
def test_torch_counts_on_its_device_as_numpy_does(
    dtype: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_counts, "BLOCK", block)
    monkeypatch.setattr(torch_tensors, "is_on_accelerator", lambda _: True)
    tensor = sample(dtype) if dtype in FLOATS else torch.arange(9_000_000, dtype=torch.float64)
    tensor = tensor.to(getattr(torch, dtype))
    if dtype not in FLOATS:
        tensor = tensor[:40_000]

    rows = device_counts.count_later(tensor, EDGES)

    assert rows is not None
    tally = device_counts.tally_of_rows(settle(rows), tensor.numel())
    exact = tensor.double().numpy()
    assert tally.counts.tolist() == np.histogram(exact, bins=EDGES)[0].tolist()
    assert tally.number == exact.size
    np.testing.assert_equal(tally.minimum, exact.min())
    np.testing.assert_equal(tally.maximum, exact.max())


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_torchs_sums_on_its_device_are_float64(dtype: str) -> None:
    tensor = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    tensor = tensor.to(getattr(torch, dtype))
    exact = tensor.double().numpy()

    wide = device_counts.torch_width(tensor)
    assert wide is not None
    rows = device_counts.torch_rows(tensor, EDGES, wide).numpy()
    tally = device_counts.tally_of_rows(rows, exact.size)

    assert tally.total == pytest.approx(exact.sum(), rel=1e-12, abs=1e-9)
    assert tally.squares == pytest.approx(exact.dot(exact), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32"])
def test_jax_counts_on_its_device_as_numpy_does(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jax_arrays, "is_on_accelerator", lambda _: True)
    values = sample("float32").numpy()
    if dtype == "int32":
        values = np.arange(-20_000, 20_000)
    else:
        # XLA takes what is below float32's normal range for zero.
        values = values[~((abs(values) < 1.2e-38) & (values != 0))]
    array = jax.numpy.asarray(values).astype(dtype)

    rows = device_counts.count_later(array, EDGES)

    assert rows is not None
    tally = device_counts.tally_of_rows(settle(rows), array.size)
    exact = np.asarray(array).astype(np.float64)
    assert tally.counts.tolist() == np.histogram(exact, bins=EDGES)[0].tolist()
    np.testing.assert_equal(tally.maximum, exact.max())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e4m3fn", "int4", "bool"])
def test_a_jax_array_of_any_type_keeps_its_values(dtype: str) -> None:
    array = jax.numpy.arange(4).astype(dtype)

    assert snapshot(array).astype(float).tolist() == np.asarray(array).astype(float).tolist()


def test_a_jax_array_given_away_after_the_call_is_logged(tmp_path: Path) -> None:
    step = jax.jit(lambda weights: weights + 1, donate_argnums=0)
    with SummaryWriter(tmp_path) as writer:
        ready = jax.block_until_ready(jax.numpy.ones(1000) * 3)
        under_way = jax.numpy.ones(1000) * 4
        for tag, weights in (("ready", ready), ("under way", under_way)):
            writer.add_histogram(tag, weights)
            jax.block_until_ready(step(weights))
        writer.flush()
        assert writer.dropped == 0

    assert [value.histo.max for value in values_in(tmp_path)] == [3.0, 4.0]


def test_inside_a_jitted_function_logging_says_what_to_do_and_computing_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path) as writer:

        @jax.jit  # type: ignore[untyped-decorator]
        def step(x: Any) -> Any:
            writer.add_scalar("x", x)
            writer.add_histogram("x", x)
            jax.debug.callback(lambda now: writer.add_scalar("now", now, 1), x)
            return x * 2

        assert step(jax.numpy.float32(2)) == 4
        jax.effects_barrier()
        writer.flush()
        assert writer.dropped == 2

    assert scalars(tmp_path)[-1:] == [Logged("now", 1, 2.0)]
    assert "jax.debug.callback" in caplog.text


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32", "bool"])
def test_a_tensorflow_tensor_or_variable_keeps_its_values(dtype: str) -> None:
    tensor = tf.cast(tf.constant([0, 1, 1]), dtype)
    variable = tf.Variable(tensor)

    assert snapshot(tensor).tolist() == [0, 1, 1]
    assert snapshot(variable).tolist() == [0, 1, 1]
    assert to_number(tensor[1]) == 1.0
    assert to_number(tf.Variable(2.5)) == 2.5


def test_a_tensorflow_variable_is_the_one_of_the_call() -> None:
    variable = tf.Variable([1.0, 2.0])

    taken = take(variable)
    variable.assign_add([1.0, 1.0])

    assert settle(taken).tolist() == [1.0, 2.0]


def test_what_tensorflow_or_keras_only_trace_is_refused_with_what_to_do() -> None:
    @tf.function  # type: ignore[untyped-decorator]
    def traced(x: Any) -> Any:
        with pytest.raises(TypeError, match=r"outside the tf\.function"):
            take(x)
        return x

    traced(tf.constant([1.0]))
    with pytest.raises(TypeError, match="outside"):
        take(keras.Input((3,)))


def test_a_keras_variable_is_its_value() -> None:
    variable = keras.Variable(np.array([1.0, 2.0]))

    taken = take(variable)
    variable.assign(np.zeros(2))

    assert settle(taken).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "bool"])
def test_tensorflow_reads_the_bits_of_types_that_numpy_lacks(tmp_path: Path, dtype: str) -> None:
    tensor = torch.tensor([[0.0, 1.0, -1.5]]).to(getattr(torch, dtype))
    with SummaryWriter(tmp_path) as writer:
        writer.add_tensor("torch", tensor)
        writer.add_tensor("jax", jax.numpy.asarray(tensor.float().numpy()).astype(dtype))
        writer.add_tensor("tensorflow", tf.cast(tensor.float().numpy(), dtype))

    for value in values_in(tmp_path):
        message = tf.compat.v1.Summary.Value.FromString(value.SerializeToString()).tensor
        assert tf.make_ndarray(message).astype(float).tolist() == tensor.double().tolist()


def test_text_of_tensorflow_is_text(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_tensor("t", tf.constant(["a", "bc"]))

    assert list(values_in(tmp_path)[0].tensor.string_val) == [b"a", b"bc"]
