"""`add_graph` leaves a torch model as it was, and shows something of every one."""

from __future__ import annotations

import logging
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from support.frameworks import framework
from support.graphs import loaded, log, nodes

torch = framework("torch")
nn = torch.nn


def mlp() -> Any:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Sequential(nn.Tanh(), nn.Linear(8, 2)))


class Deep(nn.Module):  # type: ignore[misc,name-defined]
    """Modules in lists in lists, with what torch does between them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.blocks = nn.ModuleList([nn.Sequential(self.block(), self.block()), self.block()])

    def block(self) -> Any:
        return nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = (x + block(x)).relu_()
        return x.mean((2, 3))


class Drawing(nn.Module):  # type: ignore[misc,name-defined]
    """Draws, counts, warns, changes modes; and by the way, is a model."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.frozen = nn.BatchNorm1d(4).eval()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("replaced", torch.zeros(()))

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.replaced: Any = self.replaced + 1
        random.random()
        np.random.rand()
        warnings.warn("the model warns", stacklevel=1)
        noise = nn.functional.dropout(torch.randn_like(x), training=True)
        if x.shape[0] > 1:
            torch.set_grad_enabled(False)
        return self.linear(self.frozen(self.norm(x))) + noise


def state_of(model: Any) -> list[Any]:
    """Tell all that must not change, as values that can be compared."""
    generator: Any = np.random.get_state()
    return [
        [(name, module.training) for name, module in model.named_modules()],
        {name: tensor.tolist() for name, tensor in model.state_dict().items()},
        [id(tensor) for tensor in model.buffers()],
        [parameter.grad for parameter in model.parameters()],
        [
            (len(module._forward_hooks), len(module._forward_pre_hooks))
            for module in model.modules()
        ],
        torch.is_grad_enabled(),
        torch.is_autocast_cache_enabled(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        [generator[0], generator[1].tolist(), *generator[2:]],
        list(warnings.filters),
    ]


class Raising(Drawing):
    """Fails after it has done all that."""

    def forward(self, x: Any) -> Any:
        super().forward(x)
        raise KeyError("later")


class Branching(Drawing):
    """Cannot be traced by the writer's own rules: it gives a string."""

    def forward(self, x: Any) -> Any:
        return super().forward(x), "a string"


@pytest.mark.parametrize("kind", [Drawing, Branching, Raising])
def test_the_model_and_the_random_numbers_are_as_before(
    kind: type[Drawing], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    model = kind().train()
    model.frozen.eval()
    before = state_of(model)
    ran: list[Any] = []
    model.register_forward_hook(lambda *_: ran.append(1), always_call=True)
    before[4][0] = (1, 0)

    writer = log(tmp_path, model, torch.zeros(2, 4))

    assert state_of(model) == before
    assert len(ran) == (1 if kind is Drawing else 2)
    assert (writer.dropped, len(nodes(tmp_path)) > 2) == (0, True)
    assert [str(each.message) for each in recwarn] == []


def test_autocast_remembers_no_weight_of_a_run_that_learns_nothing(tmp_path: Path) -> None:
    model = mlp()
    seen: list[bool] = []
    model.register_forward_hook(lambda *_: seen.append(torch.is_autocast_cache_enabled()))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        log(tmp_path, model, torch.zeros(1, 4))
        model(torch.ones(1, 4)).float().sum().backward()

    assert seen == [False, True]
    assert model[0].weight.grad is not None


def test_a_graph_may_be_logged_while_a_step_is_half_done(tmp_path: Path) -> None:
    model = mlp().train()
    loss = model(torch.ones(2, 4)).sum()

    log(tmp_path, model, torch.zeros(2, 4))
    loss.backward()

    assert all(parameter.grad is not None for parameter in model.parameters())


def told(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = [each for each in caplog.records if each.name == "orgboard"]
    assert record.levelno == logging.WARNING
    return record.getMessage()


class Untraceable(nn.Module):  # type: ignore[misc,name-defined]
    """Takes a dict and names, gives nested containers; adds and branches between its modules."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 2)
        self.never = nn.Linear(1, 1)

    def forward(self, batch: Any, *, scale: Any) -> Any:
        hidden = self.encoder(batch["x"]) * scale
        if hidden.sum().item() > -1e9:
            hidden[:, 0] = 0
        first, second = self.head(hidden), self.head(hidden.relu_())
        return {"first": first, "rest": [first + second, {"text": "no tensor"}]}


def test_what_cannot_be_traced_is_shown_as_modules_with_what_flows_between_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"batch": {"x": torch.ones(3, 4)}, "scale": torch.ones(8)}

    writer = log(tmp_path, Untraceable(), given)

    shown = nodes(tmp_path)
    assert {name: list(node.input) for name, node in shown.items()} == {
        "input/batch": [],
        "input/scale": [],
        "Untraceable/Sequential[encoder]/Linear[0]": ["input/batch"],
        "Untraceable/Sequential[encoder]/ReLU[1]": ["Untraceable/Sequential[encoder]/Linear[0]"],
        "Untraceable/Linear[head]": [
            "Untraceable/Sequential[encoder]/ReLU[1]",
            "input/scale",
        ],
        "Untraceable/Linear[head]_2": [
            "Untraceable/Sequential[encoder]/ReLU[1]",
            "input/scale",
        ],
        "output/output.1": ["Untraceable/Linear[head]"],
        "output/output.2": ["Untraceable/Linear[head]", "Untraceable/Linear[head]_2"],
        "Untraceable/Linear[never]": [],
    }
    head = shown["Untraceable/Linear[head]"]
    (shape,) = head.attr["_output_shapes"].list.shape
    assert (head.op, [dim.size for dim in shape.dim]) == ("Linear", [3, 2])
    assert head.attr["parameters"].i == head.attr["trainable"].i == 18
    assert head.attr["shapes"].s == b"weight float32[2, 8], bias float32[2]"
    assert head.attr["settings"].s == b"in_features=8, out_features=2, bias=True"
    assert "shows its modules and what flows between them" in told(caplog)
    assert writer.dropped == 0


class Named(nn.Module):  # type: ignore[misc,name-defined]
    """Takes its inputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x: Any, scale: Any, shift: Any = None) -> Any:
        y = self.linear(x) * scale
        return y if shift is None else y + shift


def test_inputs_may_be_named_by_a_dict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log(tmp_path, Named(), {"scale": torch.ones(2), "x": torch.ones(3, 4)})

    shown = nodes(tmp_path)
    assert {"input/x", "input/scale", "output/output.1"} <= shown.keys()
    (product,) = [node for node in shown.values() if node.op == "aten::mul"]
    assert "input/scale" in product.input
    assert [each for each in caplog.records if each.name == "orgboard"] == []


def test_a_model_that_cannot_be_traced_is_no_wrong_argument(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_graph(Untraceable(), {"batch": {"x": torch.ones(3, 4)}, "scale": 2})

    assert "Untraceable/Linear[head]" in nodes(tmp_path)


def test_a_model_that_does_not_run_on_its_input_is_shown_as_modules(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = log(tmp_path, Deep(), torch.zeros(1, 1))

    shown = nodes(tmp_path)
    assert shown["Deep/Sequential[stem]/Conv2d[0]"].op == "Conv2d"
    assert not any(node.input for node in shown.values())
    assert "nor does it run on the input" in told(caplog)
    assert writer.dropped == 0


def test_without_an_input_nothing_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Deep()
    monkeypatch.setattr(model, "forward", lambda *_: pytest.fail("it ran"))

    writer = log(tmp_path, model)

    shown = nodes(tmp_path)
    assert "Deep/ModuleList[blocks]/Sequential[0]/Sequential[1]/BatchNorm2d[1]" in shown
    assert loaded(tmp_path).Tags()["run_metadata"] == []
    assert "there is no input" in told(caplog)
    assert writer.dropped == 0


def test_a_model_cut_into_many_processes_does_not_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class FSDPModule:
        pass

    class Sharded(FSDPModule, nn.Linear):  # type: ignore[misc,name-defined]
        def forward(self, x: Any) -> Any:
            pytest.fail("it would wait for the other processes")

    make: Any = Sharded
    log(tmp_path, make(2, 2), torch.zeros(1, 2))

    assert list(nodes(tmp_path)) == ["Sharded"]
    assert "would wait for other processes" in told(caplog)


def test_lazy_parameters_stay_lazy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.ReLU())

    log(tmp_path, model, torch.zeros(1, 2))

    assert nn.parameter.is_lazy(model[0].weight)
    assert list(nodes(tmp_path)) == ["Sequential/LazyLinear[0]", "Sequential/ReLU[1]"]
    assert "lazy parameters" in told(caplog)


def test_compiled_parts_and_hooks_on_gradients_keep_no_model_from_being_traced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Any] = []
    plain = nn.Linear(2, 2)
    plain.register_full_backward_hook(lambda *_: calls.append(1))
    in_place = nn.Linear(2, 2)
    in_place.compile()
    refused = torch.compile(nn.ReLU(), backend=lambda *_: pytest.fail("it was compiled"))
    model = nn.Sequential(plain, refused, in_place)

    log(tmp_path, model, torch.zeros(1, 2))

    operations = [node.op for node in nodes(tmp_path).values()]
    assert (operations.count("aten::linear"), operations.count("aten::relu")) == (2, 1)
    assert [each for each in caplog.records if each.name == "orgboard"] == []
    plain(torch.ones(1, 2)).sum().backward()
    assert calls == [1]


def test_where_torch_no_longer_traces_the_modules_are_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch.jit, "trace")

    log(tmp_path, Deep(), torch.zeros(1, 3, 12, 12))

    shown = nodes(tmp_path)
    block = "Deep/ModuleList[blocks]/Sequential[1]"
    assert list(shown[f"{block}/BatchNorm2d[1]"].input) == [f"{block}/Conv2d[0]"]
    assert "cannot trace" in told(caplog)


def test_graphs_of_fx_and_of_an_exported_program_are_shown_without_running(tmp_path: Path) -> None:
    model, given = mlp().eval(), torch.zeros(2, 4)

    log(tmp_path / "fx", torch.fx.symbolic_trace(model))
    log(tmp_path / "export", torch.export.export(model, (given,)))

    fx = nodes(tmp_path / "fx")
    assert [fx[name].op for name in fx] == [
        "IO Node", "Linear", "Dropout", "Tanh", "Linear", "IO Node",
    ]  # fmt: skip
    exported = nodes(tmp_path / "export")
    linear = next(node for node in exported.values() if node.op == "aten.linear.default")
    assert linear.name == "Sequential/Linear[0]/linear"
    assert "input/input" in linear.input
    assert [dim.size for dim in linear.attr["_output_shapes"].list.shape[0].dim] == [2, 8]


def test_a_scripted_function_is_shown(tmp_path: Path) -> None:
    functions = torch.jit.CompilationUnit("def double(x):\n    return x * 2\n")

    log(tmp_path, functions.double, torch.zeros(2))

    assert "aten::mul" in {node.op for node in nodes(tmp_path).values()}


def test_a_large_constant_is_left_out_when_torch_would_print_it_whole(tmp_path: Path) -> None:
    table = torch.arange(20_000.0)
    options = torch._tensor_str.PRINT_OPTS

    class Lookup(nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, x: Any) -> Any:
            return x + table

    threshold = options.threshold
    torch.set_printoptions(threshold=float("inf"))
    try:
        log(tmp_path, Lookup(), torch.zeros(20_000))
    finally:
        torch.set_printoptions(threshold=threshold)

    constants = [node for node in nodes(tmp_path).values() if node.op == "prim::Constant"]
    assert any(b"(large constant)" in node.attr["attr"].s for node in constants)


def test_a_module_that_is_not_one_is_dropped_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = log(tmp_path, object(), torch.zeros(1))

    assert writer.dropped == 1
    assert "a object is not logged" in told(caplog)


def test_the_same_model_may_be_logged_twice_and_trained_between(tmp_path: Path) -> None:
    model = Deep().train()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for number in range(2):
        log(tmp_path / str(number), model, torch.zeros(2, 3, 12, 12))
        model(torch.randn(2, 3, 12, 12)).sum().backward()
        optimizer.step()

    assert loaded(tmp_path / "0").Graph() == loaded(tmp_path / "1").Graph()
