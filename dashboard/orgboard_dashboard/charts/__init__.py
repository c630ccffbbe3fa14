"""Figures as pure functions from data, one for each that the browser draws.

They are for export, notebooks and tests; the browser draws by `assets/ob/figure.js`.
Shared vectors (`tests/dashboard/vectors`) keep the twins equal.
"""
