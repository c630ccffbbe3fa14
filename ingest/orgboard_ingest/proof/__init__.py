"""The proof that a database equals its files, run by run: `orgboard verify`.

    files ──▶ sums ─┐
                    ├─ compare ─▶ differences
    store ──▶ sums ─┘

Neither side holds points: of each series and attempt a sum of hashes is kept, which does
not depend on the order in which files written side by side were read.
"""
