"""What is not the same in the files and in the database."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from orgboard_ingest.complaints import printable
from orgboard_schema.types import Kind

__all__ = ["Difference"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, in one run."""

    run: str
    what: str
    file: str | None = None
    tag: str | None = None
    kind: Kind | None = None
    attempt: int = 0
    known: bool = False
    """It was done on purpose, and is told of in the database: the proof holds."""

    def __str__(self) -> str:
        place = [self.run]
        if self.file is not None:
            place.append(self.file)
        if self.tag is not None:
            place.append(f"{self.tag} ({self.kind})")
        if self.attempt:
            place[-1] += f", attempt {self.attempt}"
        return printable(f"{': '.join(place)}: {self.what}")

    def as_json(self) -> str:
        """Return it as one line of JSON, without what it does not say."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, 0)}
        return json.dumps(said)
