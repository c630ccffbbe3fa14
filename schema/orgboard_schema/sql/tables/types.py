"""The types of columns that mean the same on both engines, and the one schema they are in."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, Text

__all__ = ["Id", "Name", "Sha256", "schema"]

# SQLite only counts a column up by itself when it is declared INTEGER.
Id: Final = BigInteger().with_variant(Integer, "sqlite")
# Code-point order on PostgreSQL whatever the cluster's locale; SQLite compares bytes already.
Name: Final = Text().with_variant(Text(collation="C"), "postgresql")
Sha256: Final = LargeBinary(32)

schema: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
