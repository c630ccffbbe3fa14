"""What ingest logs: events with named fields, a line each, for people, grep or a collector.

    text     14:24:52 took over: logdir=/data/logs processes=1
    logfmt   ts=2026-11-26T14:24:52Z level=info event="took over" logdir=/data/logs processes=1
    json     {"ts": "2026-11-26T14:24:52Z", "level": "info", "event": "took over", ...}

No field holds a character that a terminal would obey, whoever chose it.
"""

from __future__ import annotations

import json
import logging
import time
from logging.handlers import QueueHandler
from typing import Final, Literal, TypeAlias

from orgboard_schema.printing import printable

__all__ = ["Lines", "LogStyle", "printable", "say", "set_up"]

LogStyle: TypeAlias = Literal["text", "logfmt", "json"]

Field: TypeAlias = str | int | float
_FIELDS: Final = "orgboard_fields"


def say(log: logging.Logger, level: int, event: str, **fields: Field) -> None:
    """Log that something happened, and its circumstances."""
    log.log(level, "%s", event, extra={_FIELDS: fields})


def set_up(style: LogStyle, handler: logging.Handler) -> None:
    """Send what this process logs to `handler`, in that style; of other libraries, warnings."""
    if not isinstance(handler, QueueHandler):
        # Else whoever takes the records from the queue formats them.
        handler.setFormatter(Lines(style))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("orgboard").setLevel(logging.INFO)
    # It tells of each pipeline that broke with its connection; "database away" says all of it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


class Lines(logging.Formatter):
    """Make one line of a record."""

    def __init__(self, style: LogStyle) -> None:
        super().__init__()
        self._look = style

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Field] = dict(getattr(record, _FIELDS, {}))
        if record.exc_info:
            # The last line says what; a traceback is for whoever debugs.
            fields["error"] = repr(record.exc_info[1])
        event = printable(record.getMessage())
        if self._look == "text":
            clock = time.strftime("%H:%M:%S", time.localtime(record.created))
            told = " ".join(f"{name}={_bare(value)}" for name, value in fields.items())
            return f"{clock} {event}: {told}" if told else f"{clock} {event}"
        head: dict[str, Field] = {
            "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": event,
        }
        if self._look == "json":
            return json.dumps(head | fields)
        return " ".join(f"{name}={_bare(value)}" for name, value in (head | fields).items())


def _bare(value: Field) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = printable(str(value))
    if text and not any(char in ' "=' for char in text):
        return text
    # Backslashes too: a name that ends in one must not take the quote with it.
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
