"""Computation graphs: stored bytes become one model, a tree of scopes, and what is asked of them.

    bytes ─▶ reading ─▶ Graph ─▶ tree ─▶ opened · layers · tracing · difference
    a file from somebody's disk ─▶ files ─▶ bytes, as runs log them
    run metadata ─▶ measured ─▶ stats, of the nodes and scopes of a tree

A GraphDef is read by the compiled core as columns (`columns`), and by protobuf node by node where
the core is not or leaves a node (`graph_def`); `builder` makes one graph of both.

Pure: nothing here knows SQL, HTTP or Dash.
"""
