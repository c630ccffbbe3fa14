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
    """Logs one run: scalars, histograms, images, sounds, texts, settings, graphs and more.

        with SummaryWriter("runs/first") as writer:
            writer.add_scalar("loss", 0.25, step)
            writer.log({"loss": 0.25, "eval": {"accuracy": 0.9}}, step)

    The first six arguments are torch's, in its order and then tensorboardX's:

    log_dir: directory of the event files, a path on this machine. By default a new one,
        `runs/<date>_<time>_<host><comment>`. It is created at once.
    comment: end of the default directory's name.
    purge_step: tells readers that the run was restarted at this step: what was logged before,
        from that step on, is hidden.
    max_queue: number of waiting values at which writing begins before `flush_secs` are over.
        No call ever waits for it.
    flush_secs: seconds after which what was logged is in the file, at most; what a `kill -9`
        can lose.
    filename_suffix: end of the event files' names.
    write_to_disk: False makes a writer that takes everything and writes nothing.
    logdir, comet_config: tensorboardX's names; the first means `log_dir`, the other nothing.

    The others are ours, by name only:

    strict: raise TypeError or ValueError for wrong arguments, instead of dropping the value.
        By default as the environment's ORGBOARD_STRICT says, else False.
    context: record once where the run takes place (command line, host, user, git commit,
        packages, devices; what looks like a secret is left out). It is gathered in the
        background after the first value. By default as ORGBOARD_CONTEXT says, else True.
    fsync_secs: make the disk itself hold what was written, every so many seconds. None leaves
        that to the system, which loses nothing unless the machine fails.

    Arguments that nobody knows are ignored, and told once.

    Raises:
        OSError: the directory or the first file cannot be made.
        ValueError: `log_dir` is an address and no path.

    After that nothing the writer meets stops or delays the training: what cannot be written is
    counted in `dropped` and told on the logger "orgboard", each trouble once. Steps are any
    int64 (None is 0), times are seconds since the epoch (None is now). Arrays may be of numpy,
    torch, jax, TensorFlow or nested lists; they are copied before a call returns.

    A writer may be used from any thread, and after a fork: the child gets a file of its own.
    A copy, pickled or not, is another writer for the same run. After `close()` the next value
    opens a new file.
    """
