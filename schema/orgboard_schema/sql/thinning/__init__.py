"""Keep every n-th point of heavy series: an operator's explicit choice, never made by ingest.

    rule     which points stay                         pure
    marks    what was taken of which series, and when  what verify, pages and `db check` ask
    edits    the rows that points are taken from, and what is left of each
    plan     what a rule would take of which run, and what that frees
    doing    taking it, a few thousand points a transaction

    a row of `block` or `segment` ─┬─▶ the points that stay, in the same row
                                   └─▶ a row of `thinned`: place, step, time, digest of the rest

Both in one transaction with the heads that count them, so each point that the files hold is
either stored or told of as taken, whenever it is looked at. Files and their offsets are never
touched: what was taken does not come back unless the run is read anew from its beginning.
"""
