"""The environment that the other modules here run in."""

from __future__ import annotations

from support.frameworks import framework

torch = framework("torch")


def test_torch_is_the_build_for_the_cpu() -> None:
    assert torch.version.cuda is None
