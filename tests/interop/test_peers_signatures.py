"""What the peers' writers take, ours takes: every method, parameter, position and default.

Where that cannot hold, because the two contradict each other or on purpose, it is listed here.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import pytest

import orgboard
from support.frameworks import framework
from support.peers.every import every_case

PEERS: Final = {
    "torch": framework("torch.utils.tensorboard"),
    "tensorboardx": framework("tensorboardX"),
}
CLASSES: Final = ("SummaryWriter", "FileWriter", "GlobalSummaryWriter")

OTHER_DEFAULTS: Final = {
    "max_queue": "a number at which writing starts early; no call waits for it",
    "flush_secs": "what is lost when a machine dies is two seconds, not two minutes",
    "log_dir": "goes by either peer's name",
    "logdir": "goes by either peer's name",
    "comet_config": "no other service is told",
    "metric_dict": "may be left out",
    "prototxt": "goes by either peer's name",
    "onnx_model_file": "goes by either peer's name",
}
OTHER_POSITIONS: Final = {
    ("tensorboardx", "SummaryWriter.__init__"): "the first is the directory, by either name",
    ("tensorboardx", "GlobalSummaryWriter.__init__"): "passed on to SummaryWriter",
    ("tensorboardx", "FileWriter.__init__"): "the first is the directory, by either name",
    ("tensorboardx", "SummaryWriter.add_hparams"): "a text in third place is the name",
    ("tensorboardx", "SummaryWriter.add_onnx_graph"): "the first is the model, by either name",
    ("tensorboardx", "SummaryWriter.add_scalar"): "texts in fifth and sixth place are told apart",
    ("tensorboardx", "SummaryWriter.add_image_with_boxes"): "a text in sixth place is dataformats",
}


def _methods() -> list[tuple[str, str, str]]:
    return [
        (peer, name, method)
        for peer, module in PEERS.items()
        for name in CLASSES
        for method in dir(getattr(module, name, None))
        if hasattr(module, name)
        and (method == "__init__" or not method.startswith("_"))
        and callable(getattr(getattr(module, name), method))
    ]


@pytest.mark.parametrize(("peer", "name", "method"), _methods())
def test_a_call_that_fits_a_peer_fits_ours(peer: str, name: str, method: str) -> None:
    theirs = _parameters(getattr(PEERS[peer], name), method)
    ours = _parameters(getattr(orgboard, name), method)

    takes_others = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in ours.values())
    named = [each for each in theirs.values() if each.kind not in _VARIADIC]
    assert [each.name for each in named if not takes_others and each.name not in ours] == []
    assert {
        each.name: (ours[each.name].default, each.default)
        for each in named
        if each.name in ours
        and each.name not in OTHER_DEFAULTS
        and ours[each.name].default != each.default
    } == {}
    positions = [each.name for each in named if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    is_same = list(ours)[: len(positions)] == positions
    assert is_same != ((peer, f"{name}.{method}") in OTHER_POSITIONS)


@pytest.mark.parametrize("peer", PEERS)
def test_every_method_of_a_peer_is_compared(peer: str) -> None:
    compared = {case.method for case in every_case()}

    methods = {
        (method if name == "SummaryWriter" else f"{name}.{method}")
        for found, name, method in _methods()
        if found == peer and method not in ("__init__", "getSummaryWriter", "use_metadata")
    }

    assert methods - compared == set()


_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _parameters(owner: Any, method: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(getattr(owner, method)).parameters)
