"""What is shown on a page of a project, and how: frozen values that an address can say (`urls`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from orgboard_dashboard.settings_view import Settings

__all__ = [
    "COLUMN_PX",
    "DEFAULT_SMOOTHING",
    "DEFAULT_SORT",
    "MAX_CARD",
    "MAX_COLUMNS",
    "MAX_MOVED_NODES",
    "MAX_OPEN_SCOPES",
    "MAX_SMOOTHING",
    "MIN_CARD",
    "NO_VIEW",
    "Column",
    "Compared",
    "GraphColor",
    "GraphSide",
    "GraphTrace",
    "GroupBand",
    "GroupLine",
    "HistogramView",
    "SmoothingKind",
    "TipOrder",
    "ViewState",
    "XAxis",
    "YAxis",
]

XAxis: TypeAlias = Literal["step", "rstep", "index", "relative", "wall", "active"]
"""Beside these an axis may be a metric: `m:TAG`."""
YAxis: TypeAlias = Literal["lin", "log", "sym"]
SmoothingKind: TypeAlias = Literal["ema", "twema", "gauss", "mean"]
TipOrder: TypeAlias = Literal["nearest", "height", "value", "least", "name", "list"]
GroupLine: TypeAlias = Literal["mean", "median", "min", "max", "each"]
"""`each`: no line of the group, but one of each of its runs, in its colour."""
GroupBand: TypeAlias = Literal["minmax", "std", "sem", "ci", "none"]
Compared: TypeAlias = Literal["last", "min", "max"]
HistogramView: TypeAlias = Literal["offset", "overlay", "dist", "heat"]
GraphColor: TypeAlias = Literal["structure", "op", "device", "cluster", "time", "memory", "none"]
GraphTrace: TypeAlias = Literal["", "inputs", "outputs"]
GraphSide: TypeAlias = Literal["node", "layers", "aside", "changes", "measured"]

DEFAULT_SMOOTHING: Final = 0.6
"""TensorBoard's, so that the same logs look the same here."""


DEFAULT_SORT: Final = "-started"

NO_VIEW: Final = "-"
"""In place of a saved view: the usual one, whatever view the project opens in."""


MAX_MOVED_NODES: Final = 60
"""Each is a part of the address, which has room for so many."""
MAX_OPEN_SCOPES: Final = 60
MAX_COLUMNS: Final = 60
COLUMN_PX: Final = (40, 1200)
"""The narrowest and the widest column."""

MAX_SMOOTHING: Final = 0.999
"""At 1 the average would never leave its first value."""

MIN_CARD: Final = 120
MAX_CARD: Final = 2000
"""Limits of a card's width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table of runs: `status`, `hp:lr`, `min:val/loss`."""

    key: str
    width: int | None = None
    """In pixels; None: what suits it."""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class ViewState:
    """What is shown on a page of a project, and how."""

    run_filter: str = ""
    """A query on runs; without an operator RE2 on the run's name, unanchored."""
    tag_filter: str = ""
    smoothing: float = DEFAULT_SMOOTHING
    x_axis: str = "step"
    """An `XAxis`, or `m:TAG`."""
    y_axis: YAxis = "lin"
    selected: tuple[str, ...] | None = None
    """Run uids. None means automatic: the newest ones."""
    zoom: tuple[float, float] | None = None
    """In units of the x axis: steps, or seconds."""
    collapsed: tuple[str, ...] = field(default=())
    """Groups of tags that are folded."""
    superseded: bool = False
    """Show what a later attempt replaced, too."""
    by_metric: bool | None = None
    """A card for each metric of the dictionary in the place of its tags'; None: where several
    projects are looked at."""
    log_x: bool = False
    y_range: tuple[float, float] | None = None
    """Of all cards that have no range of their own, nor of their section."""
    section_ranges: tuple[tuple[str, float, float], ...] = ()
    """Group of tags, low, high."""
    card_ranges: tuple[tuple[str, float, float], ...] = ()
    """Tag, low, high."""
    outliers_clipped: bool = True
    smoothing_kind: SmoothingKind = "ema"
    pinned: tuple[str, ...] = ()
    """Tags whose cards stand above all others, in this order."""
    card_width: int | None = None
    """Pixels, at least; None: as the screen suggests."""
    card_height: int | None = None
    """Of the chart; only beside a width."""
    tip_order: TipOrder = "nearest"
    selected_range: tuple[float, float] | None = None
    """What the table of values is about, in units of the x axis."""
    group_by: str = ""
    """`hp:NAME`, `re:PATTERN`, `tag`, `user` or `host`: runs that are drawn as one line.
    Empty: each has its own."""
    group_line: GroupLine = "mean"
    group_band: GroupBand = "minmax"
    charts: tuple[str, ...] = field(default=())
    """Charts of several tags, or of arithmetic on them, as `expressions` reads them."""
    baseline: str = ""
    """The run or group that others are compared with; empty: the first."""
    compared: Compared = "last"
    """Which value of a metric is compared."""
    columns: tuple[Column, ...] | None = None
    """Of the table of runs, and of the panel as far as it has room. None: the usual ones."""
    sort: str = DEFAULT_SORT
    """A column's key; "-" in front: the largest first."""
    value_columns: tuple[str, ...] = ()
    """Keys of the columns of the table of values that come first, in this order."""
    settings: Settings = field(default_factory=Settings)
    """What the page of settings shows."""
    histograms: HistogramView = "offset"
    at_step: float | None = None
    """The step that histograms of several runs are laid over one another at; None: the last."""
    layer_map: str = ""
    """The map of layers: MEASURE, MEASURE,RUN or MEASURE,RUN,OTHER. Empty: none."""
    graph_run: str = ""
    """The run whose graph is shown; empty: the first shown one."""
    graph_tag: str = ""
    """Which of its graphs; empty: the first."""
    graph_open: tuple[str, ...] = ()
    """Scopes that are open."""
    graph_node: str = ""
    """The node or scope that is told of."""
    graph_color: GraphColor = "structure"
    graph_trace: GraphTrace = ""
    """What leads to the node, or follows from it, is marked."""
    graph_aside: bool = False
    """Draw what is usually set aside among the others."""
    graph_moved: tuple[str, ...] = ()
    """Nodes that were set aside, or taken out of what is, one by one."""
    graph_base: str = ""
    """The run whose graph this one is compared with."""
    graph_stats: str = ""
    """The tag of the run metadata that is looked at; empty: the latest; "-": none."""
    graph_side: GraphSide = "node"
    """What stands beside the graph."""
    saved: str = ""
    """The id of the saved view that this one is put over, or `NO_VIEW`."""
    without: tuple[str, ...] = ()
    """Keys of that view that do not count; only beside an id."""
