"""What computes: processors, memory, GPUs.

Asking a framework may start CUDA, take memory on every GPU and break a later fork. So a
framework is asked only about devices that it has already opened; otherwise the driver's own
files say which GPUs there are.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ["describe_devices"]

_CPUINFO: Final = Path("/proc/cpuinfo")
_DRIVER: Final = Path("/proc/driver/nvidia/gpus")


def describe_devices(
    modules: Mapping[str, Any], cpuinfo: Path = _CPUINFO, driver: Path = _DRIVER
) -> dict[str, Any]:
    """Describe processors, memory in bytes, and GPUs, by what `modules` have opened."""
    found = {
        "cpu": _describe_cpu(cpuinfo),
        "memory_bytes": _memory_bytes(),
        "gpus": _of_torch(modules) or _of_jax(modules) or _of_driver(driver),
    }
    return {name: value for name, value in found.items() if value}


def _describe_cpu(cpuinfo: Path) -> dict[str, Any]:
    model = platform.machine()
    with suppress(OSError), cpuinfo.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                model = value.strip()
                break
    usable = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    return {"model": model, "count": os.cpu_count(), "usable": usable}


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _of_torch(modules: Mapping[str, Any]) -> list[dict[str, Any]]:
    cuda = getattr(modules.get("torch"), "cuda", None)
    with suppress(Exception):
        if cuda is not None and cuda.is_initialized():
            every = [cuda.get_device_properties(index) for index in range(cuda.device_count())]
            return [{"name": each.name, "memory_bytes": each.total_memory} for each in every]
    return []


def _of_jax(modules: Mapping[str, Any]) -> list[dict[str, Any]]:
    # `jax.devices()` would open them; this is where jax keeps those it has opened.
    bridge = modules.get("jax._src.xla_bridge")
    with suppress(Exception):
        opened = dict(vars(bridge).get("_backends") or {}) if bridge is not None else {}
        return [
            {"name": device.device_kind}
            for backend in opened.values()
            for device in backend.local_devices()
            if device.platform != "cpu"
        ]
    return []


def _of_driver(driver: Path) -> list[dict[str, Any]]:
    found = []
    with suppress(OSError):
        for gpu in sorted(driver.iterdir()):
            for line in (gpu / "information").read_text("utf-8", "replace").splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "Model":
                    found.append({"name": value.strip()})
    return found
