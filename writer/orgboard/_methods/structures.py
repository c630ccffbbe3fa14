"""Structures: embeddings, meshes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orgboard._log.account import WAITING_BYTES
from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import take, to_step

__all__ = ["Structures"]


class Structures(Recorder):
    """Embeddings, meshes."""

    def add_mesh(
        self,
        tag: str,
        vertices: Any,
        colors: Any = None,
        faces: Any = None,
        config_dict: Mapping[str, Any] | None = None,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a batch of B meshes, or of clouds of points where no faces are given.

        `vertices` is (B, N, 3): x, y, z of each point, of any unit. `colors` is (B, N, 3): red,
        green, blue of each, 0 to 255. `faces` is (B, F, 3): the numbers of the three points of
        each triangle. All are stored as float32. `config_dict` holds names and settings of
        three.js classes, such as {"camera": {"cls": "PerspectiveCamera", "fov": 75}}.

            writer.add_mesh("cloud", np.random.rand(1, 1000, 3), global_step=step)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.mesh import check_mesh, mesh_body

            mesh = check_mesh(
                take(vertices),
                None if colors is None else take(colors),
                None if faces is None else take(faces),
                config_dict,
            )
            parts = (mesh.vertices, mesh.colors, mesh.faces)
            size = sum(part.nbytes for part in parts if part is not None)
            self._put(mesh_body, tag, mesh, global_step, walltime, size=size)

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: Any = None,
        tag: str = "default",
        metadata_header: Sequence[str] | None = None,
    ) -> None:
        """Log points in space, for TensorBoard's projector: as files in the run's directory.

        `mat` is (N, D): N points of D dimensions. `metadata` holds a label for each point, or
        with `metadata_header` (the names of the columns) a row of labels for each. `label_img`
        is (N, C, H, W): a picture of each point with 1, 3 or 4 channels, uint8 as it is, other
        types from 0..1; all of them in one square must not be wider than 8192 pixels. Labels or
        pictures that do not fit are dropped, and the points kept.

            writer.add_embedding(features, metadata=names, label_img=images, global_step=epoch)

        The files are `<step>/<tag>/tensors.tsv`, `metadata.tsv` and `sprite.png`, listed in
        `projector_config.pbtxt`; the same tag and step again replaces them. More than 262 144
        numbers are written as float32 in binary, `tensors.bytes`, which takes a tenth of the
        time.
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.embedding import check_matrix, check_pictures, label_text
            from orgboard._methods.embedding_files import Waiting, write_embedding

            points = take(mat)
            check_matrix(points)
            labels = pictures = None
            if metadata is not None:
                with self._guard:
                    labels = label_text(metadata, metadata_header, points.shape[0])
            if label_img is not None:
                with self._guard:
                    given = take(label_img)
                    check_pictures(given, points.shape[0])
                    pictures = given
            step = to_step(self._default_step if global_step is None else global_step)
            embedding = Waiting(self._log_dir, step, points, labels, pictures)
            size = points.nbytes + len(labels or "")
            size += 0 if pictures is None else pictures.nbytes
            # Embeddings are rare and large: counted in full, a histogram that waits would push
            # one out. Counted as half the queue, at most two of any size wait.
            size = min(size, WAITING_BYTES // 2)
            self._put(write_embedding, tag, embedding, step, None, size=size)
