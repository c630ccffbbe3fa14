"""Computation graphs: stored bytes become one model, a tree of scopes, and what is asked of them.

    bytes ─▶ reading ─▶ Graph ─▶ tree ─▶ opened · layers · tracing · difference

Pure: nothing here knows SQL, HTTP or Dash.
"""
