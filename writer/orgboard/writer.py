"""`SummaryWriter`: what a training script calls.

Every method takes a snapshot of its value, queues it and returns; a background thread does the
rest. Names, parameters and results are those of torch's and tensorboardX's class. Two things
differ on purpose: what is logged is on disk after two seconds and not two minutes, and no call
ever waits for a disk.
"""

from __future__ import annotations

from orgboard._methods.dictionaries import Dictionaries
from orgboard._methods.exports import Exports
from orgboard._methods.graphs import Graphs
from orgboard._methods.settings import Settings
from orgboard._methods.structures import Structures
from orgboard._methods.tensors import Tensors
from orgboard._methods.texts import Texts
from orgboard._methods.watching import Watching

__all__ = ["SummaryWriter"]


class SummaryWriter(Dictionaries, Watching, Tensors, Texts, Settings, Graphs, Structures, Exports):
    """Logs one run: scalars, histograms, images, text, hyperparameters, a graph.

        with SummaryWriter("runs/first") as writer:
            writer.add_scalar("loss", 0.25, step)

    `log_dir` defaults to a new directory under `runs/`. It is created at once, and an error
    there is raised; after that nothing the writer meets stops or delays the training: what
    cannot be written is counted in `dropped` and warned about once on the logger "orgboard".
    With `strict=True` wrong arguments raise instead.

    `max_queue` is the number of waiting values at which writing starts before `flush_secs` are
    over; no call waits for it. `purge_step` tells readers to hide earlier points from that step
    on. A writer may be used from any thread, and after a fork: the child gets a file of its own.
    After `close()` the next value opens a new file.
    """
