"""MP4, where imageio-ffmpeg and so an encoder is installed."""

from __future__ import annotations

import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["can_encode", "encode_mp4"]


def can_encode() -> bool:
    """Tell whether `encode_mp4` has what it needs."""
    return find_spec("imageio_ffmpeg") is not None


def encode_mp4(frames: NDArray[np.uint8], fps: float) -> bytes:
    """Encode RGB frames [time, height, width, 3] as H.264 in MP4, playable in browsers.

    Raises:
        ImportError: imageio-ffmpeg is not installed.
        OSError: the encoder failed.
    """
    import numpy as np

    # By name: where the SDK is checked it is not installed.
    imageio_ffmpeg = import_module("imageio_ffmpeg")
    _, height, width, _ = frames.shape
    # The usual colour format halves the sides, so they must be even: the edge is repeated.
    even = ((0, height % 2), (0, width % 2), (0, 0))
    with tempfile.TemporaryDirectory(prefix="orgboard-") as folder:
        path = Path(folder) / "film.mp4"
        encoder: Any = imageio_ffmpeg.write_frames(
            str(path),
            (width + width % 2, height + height % 2),
            fps=fps,
            macro_block_size=1,
            ffmpeg_log_level="error",
            output_params=["-movflags", "+faststart"],
        )
        encoder.send(None)
        try:
            for frame in frames:
                encoder.send(np.ascontiguousarray(np.pad(frame, even, mode="edge")))
        finally:
            encoder.close()
        return path.read_bytes()
