"""What was logged, as a file for other programs."""

from __future__ import annotations

import os

from orgboard._methods.recorder import Recorder

__all__ = ["Exports"]


class Exports(Recorder):
    """Exports."""

    def export_scalars_to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the scalars that this process logged under the log directory to a JSON file.

            {"runs/first/loss/train": [[wall_time, step, value], ...], ...}

        As with tensorboardX, a key is the log directory, the tag, and for `add_scalars` the
        name within it, and a later call writes only what was logged since the last. Values are
        as stored, so mostly float32; NaN and infinities are JavaScript's words for them. All is
        read back from the event files: nothing is kept in memory meanwhile. The file is there
        whole, or as it was before.
        """
        with self._guard:
            import json

            from orgboard._log.assets import write_file
            from orgboard._log.read_back import read_scalars

            self.flush()
            exported = dict(self._exported)
            told = {
                name: list(zip(*series, strict=True))
                for name, series in read_scalars(self._log_dir, exported).items()
            }
            write_file(os.fspath(path), [json.dumps(told).encode()])
            self._exported = exported
