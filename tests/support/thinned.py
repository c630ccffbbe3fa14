"""A run that was thinned, as an operator would."""

from __future__ import annotations

import io

from PIL import Image
from sqlalchemy import Engine, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.retention import Policy
from orgboard_schema.sql.thinning.doing import thin_run
from orgboard_schema.sql.thinning.rule import Rule
from orgboard_schema.types import Blob, Kind, Media

__all__ = ["picture", "thin"]

DAY_S = 86_400.0


def thin(
    engine: Engine, uid: str, *kinds: Kind, now: float, keep_every: int = 10, days: float = 30
) -> None:
    """Thin series of these kinds of a run, which has not grown for so many days from here on."""
    run = tables.run.c
    with begin_write(engine) as conn:
        here = run.uid == uid
        conn.execute(update(tables.run).where(here).values(last_write=now - days * DAY_S))
        run_id = conn.execute(select(run.run_id).where(here)).scalar_one()
    rule = Rule(keep_every, days, frozenset(kinds))
    assert thin_run(engine, run_id, Policy(thin=rule), rule, now=now).is_done


def picture(shade: int) -> Media:
    """Return a small picture, another one for each number."""
    file = io.BytesIO()
    colour = (40 + shade % 180, 90 + shade // 8 % 140, 160)
    image = Image.new("RGB", (96, 64), colour)
    image.putpixel((0, 0), (shade // 256 % 256, shade % 256, 1))
    image.save(file, "PNG")
    return Media((Blob(file.getvalue(), "image/png"),), 96, 64)
