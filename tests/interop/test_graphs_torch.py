"""`add_graph` of torch models: what TensorBoard shows is what it shows from torch's own writer."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orgboard_schema.wire.reader import read_file
from support.frameworks import framework
from support.graphs import loaded, log
from support.logged_runs import event_files

torch = framework("torch")
theirs = framework("torch.utils.tensorboard._pytorch_graph")
tensorboardx = framework("tensorboardX")
nn = torch.nn


class Residual(nn.Module):  # type: ignore[misc,name-defined]
    """A block whose parts are shared between two names, with an addition around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.again = self.first
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Any) -> Any:
        y = torch.relu(self.norm(self.first(x)))
        return x + self.scale * self.again(y)


class ResNet(nn.Module):  # type: ignore[misc,name-defined]
    """Nested containers, parameters and buffers of its own, reused modules."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.blocks = nn.ModuleList([nn.Sequential(Residual(4), Residual(4)), Residual(4)])
        self.register_buffer("mean", torch.zeros(1, 4, 1, 1))
        self.head = nn.ModuleDict({"linear": nn.Linear(4, 5)})

    def forward(self, x: Any) -> Any:
        x = self.stem(x) - self.mean
        for block in self.blocks:
            x = block(x)
        return self.head["linear"](x.mean((2, 3)))


class Recurrent(nn.Module):  # type: ignore[misc,name-defined]
    """More than one output, and a tuple within it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 6)
        self.lstm = nn.LSTM(6, 7, num_layers=2, batch_first=True)
        self.out = nn.Linear(7, 10)

    def forward(self, x: Any) -> Any:
        y, state = self.lstm(self.embed(x))
        return self.out(y), state


class Mapping(nn.Module):  # type: ignore[misc,name-defined]
    """Gives a dict, which only a trace that is not strict takes."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Any) -> Any:
        y = self.linear(x)
        return {"logits": y, "probabilities": y.softmax(-1)}


class TwoInputs(nn.Module):  # type: ignore[misc,name-defined]
    """Two inputs, one of which is not used, a constant and a value named as an output."""

    def __init__(self) -> None:
        super().__init__()
        self.bilinear = nn.Bilinear(3, 4, 2)
        self.table = torch.arange(2000.0)

    def forward(self, left: Any, right: Any, unused: Any) -> Any:
        output = self.bilinear(left, right)
        output = output + torch.tensor([1.0, 2.0]) + self.table.sum()
        return output, left


class Looping(nn.Module):  # type: ignore[misc,name-defined]
    """A loop over one module, and an input that is given back."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x: Any) -> Any:
        state = torch.zeros(x.shape[1], 4)
        for step in x:
            state = self.cell(step, state)
        return state


class Constant(nn.Module):  # type: ignore[misc,name-defined]
    """Gives a parameter, and a number that depends on nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x: Any) -> Any:
        return self.weight, torch.ones(3), x.shape[0] * torch.ones(1)


def mlp() -> Any:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Sequential(nn.Tanh(), nn.Linear(8, 2)))


def scripted() -> Any:
    return torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.ReLU()))


def attention() -> Any:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


MODELS: dict[str, tuple[Callable[[], Any], Any, bool]] = {
    "mlp": (mlp, torch.zeros(2, 4), True),
    "one module": (lambda: nn.Linear(4, 2), torch.zeros(1, 4), True),
    "residual network": (ResNet, torch.zeros(2, 3, 12, 12), True),
    "inputs in a tuple": (mlp, (torch.zeros(2, 4),), True),
    "inputs in a list": (mlp, [torch.zeros(2, 4)], True),
    "lstm": (Recurrent, torch.zeros(2, 5, dtype=torch.long), True),
    "attention": (attention, torch.zeros(2, 5, 8), True),
    "encoder": (
        lambda: nn.TransformerEncoder(attention(), 2, enable_nested_tensor=False),
        torch.zeros(2, 5, 8),
        True,
    ),
    "transformer": (
        lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
        (torch.zeros(1, 3, 8), torch.zeros(1, 2, 8)),
        True,
    ),
    "dict given": (Mapping, torch.zeros(1, 3), False),
    "two inputs": (TwoInputs, (torch.zeros(1, 3), torch.zeros(1, 4), torch.zeros(1)), True),
    "loop": (Looping, torch.zeros(3, 2, 3), True),
    "constant": (Constant, torch.zeros(2), True),
    "identity": (nn.Identity, torch.zeros(2), True),
    "scripted": (scripted, torch.zeros(1, 3), True),
    "float64": (lambda: mlp().double(), torch.zeros(2, 4, dtype=torch.float64), True),
}


def torchs_graph(model: Any, given: Any, *, strict: bool = True) -> Any:
    """Make torch's own graph; without the check that refuses its own attention layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.jit, "trace", partial(torch.jit.trace, check_trace=False))
        return theirs.graph(model, given, use_strict_trace=strict)


def as_theirs(graph: Any) -> Any:
    """Leave out what only our writer says: shape and number of the weights that are read."""
    for node in graph.node:
        if node.op == "prim::GetAttr":
            assert node.attr.keys() <= {"attr", "_output_shapes", "parameters"}
            for name in node.attr.keys() - {"attr"}:
                del node.attr[name]
    return graph


@pytest.mark.parametrize("name", MODELS)
def test_a_graph_is_that_of_torchs_own_writer(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make, given, strict = MODELS[name]
    model = make()
    expected, run_metadata = torchs_graph(model, given, strict=strict)

    log(tmp_path, model, given, use_strict_trace=strict)

    shown = loaded(tmp_path)
    assert as_theirs(shown.Graph()) == expected
    assert len(expected.node) > 0
    assert shown.Tags()["run_metadata"] == ["step1"]
    assert shown.RunMetadata("step1") == run_metadata
    assert caplog.records == []


class Tied(nn.Module):  # type: ignore[misc,name-defined]
    """Reads one weight under two names, and calls one module twice."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 4)
        self.norm = nn.BatchNorm1d(4)
        self.out = nn.Linear(4, 11, bias=False)
        self.out.weight = self.words.weight

    def forward(self, x: Any) -> Any:
        return self.out(self.norm(self.norm(self.words(x))))


def test_weights_have_their_shapes_and_are_counted_once(tmp_path: Path) -> None:
    model = Tied()

    log(tmp_path, model, torch.zeros(3, dtype=torch.long))

    read = [node for node in loaded(tmp_path).Graph().node if node.op == "prim::GetAttr"]
    shapes = [[d.size for d in node.attr["_output_shapes"].list.shape[0].dim] for node in read]
    assert sum(node.attr["parameters"].i for node in read) == 52
    assert sum(parameter.numel() for parameter in model.parameters()) == 52
    assert shapes.count([11, 4]) >= 1
    # Running mean and variance have shapes, too, and are no parameters.
    assert [node.attr["parameters"].i for node in read].count(4) == 2
    assert shapes.count([4]) >= 4


def test_a_graph_is_that_of_tensorboardx(tmp_path: Path) -> None:
    model, given = ResNet(), torch.zeros(1, 3, 12, 12)
    with tensorboardx.SummaryWriter(str(tmp_path / "theirs")) as writer:
        writer.add_graph(model, given)

    log(tmp_path / "ours", model, given)

    # Of two protobuf libraries: compared as bytes of one.
    expected = loaded(tmp_path / "theirs").Graph()
    assert as_theirs(loaded(tmp_path / "ours").Graph()) == expected
    assert len(expected.node) > 50


def test_a_model_that_was_traced_before_keeps_its_own_trace(tmp_path: Path) -> None:
    model = torch.jit.trace(mlp().eval(), torch.zeros(2, 4))
    before = str(model.graph)

    log(tmp_path, model, torch.zeros(2, 4))

    assert str(model.graph) == before
    # torch's writer changes the trace that it is given; the numbers of unnamed values follow.
    expected = torchs_graph(model, torch.zeros(2, 4))[0]
    number = re.compile(r"/\d+$")
    assert [
        (node.op, number.sub("", node.name), [number.sub("", each) for each in node.input])
        for node in loaded(tmp_path).Graph().node
    ] == [
        (node.op, number.sub("", node.name), [number.sub("", each) for each in node.input])
        for node in expected.node
    ]


def test_our_own_reader_stores_both_as_graphs(tmp_path: Path) -> None:
    log(tmp_path, mlp(), torch.zeros(2, 4))

    with event_files(tmp_path)[0].open("rb") as file:
        batch = read_file(file, 0, {})

    found = [(point.tag, point.kind) for _, point in batch.points if point.kind == "graph"]
    assert found == [("__run_graph__", "graph"), ("step1", "graph")]
    assert batch.gaps == ()


def test_a_model_inside_of_a_wrapper_is_the_model(tmp_path: Path) -> None:
    model, given = mlp(), torch.zeros(2, 4)
    expected, _ = torchs_graph(model, given)

    for number, wrapped in enumerate(
        [torch.compile(model), nn.DataParallel(model), torch.compile(nn.DataParallel(model))]
    ):
        log(tmp_path / str(number), wrapped, given)
        assert as_theirs(loaded(tmp_path / str(number)).Graph()) == expected


def test_verbose_prints_the_trace(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log(tmp_path / "quiet", mlp(), torch.zeros(2, 4))
    assert capfd.readouterr() == ("", "")

    log(tmp_path / "verbose", mlp(), torch.zeros(2, 4), verbose=True)

    assert "aten::linear" in capfd.readouterr().out
