"""Stored points as CSV, JSON lines or Parquet, streamed: `orgboard export`.

    choice    what may be asked for, and its columns
    writing   one run after another, each read in one snapshot of its own
    csv_rows, json_lines, parquet     a sink each: slices of series in, bytes out
    elements  the elements of a tensor as numbers
    blobs     the bytes of pictures, clips and graphs, as files
    output    a file that is there whole or not at all

A run is the unit of consistency: what is exported of it was all there at one instant.
No snapshot outlives its run, so that an export of an hour does not keep the database
from tidying its log.
"""

from __future__ import annotations

from orgboard_dashboard.export.choice import COLUMNS, CannotExport, Choice, form_of
from orgboard_dashboard.export.writing import export

__all__ = ["COLUMNS", "CannotExport", "Choice", "export", "form_of"]
