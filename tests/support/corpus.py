"""Where the interoperability corpus lies: event files of real frameworks, each with its truth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.lacking import lack

__all__ = ["FRAMEWORK_CASES", "corpus", "corpus_folder"]

FRAMEWORK_CASES = (
    "accelerate",
    "keras_tensorflow",
    "lightning",
    "optuna",
    "tb_demo_pr_curve",
    "tb_demos",
    "tf2_summary",
    "torch_profiler",
    "torch_tb",
)
"""The cases written by unmodified frameworks; each has `logs/` and `truth.json`."""

REPOSITORY = Path(__file__).resolve().parents[2]


def corpus_folder() -> Path:
    """Name the corpus' folder, there or not: `$ORGBOARD_CORPUS`, else beside the clone."""
    named = os.environ.get("ORGBOARD_CORPUS")
    return Path(named) if named else REPOSITORY.parent / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Give the corpus' folder; skip when it is not on this machine."""
    folder = corpus_folder()
    if not (folder / "README.md").is_file():
        lack(f"the corpus is not at {folder}; ORGBOARD_CORPUS may name its folder")
    return folder
