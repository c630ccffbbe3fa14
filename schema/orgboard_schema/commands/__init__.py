"""`orgboard db …`: the database itself, by hand.

Each action is a module here with two functions: `add_parser(actions)` declares its
arguments, `run(options, out)` does it and returns the exit status. Neither imports
SQLAlchemy before it runs, so that `orgboard --help` stays quick.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from orgboard_schema.commands import (
    backup,
    check,
    compact,
    delete,
    rebuild,
    restore,
    retain,
    upgrade,
    web_role,
)
from orgboard_schema.errors import OrgboardError

__all__ = ["db"]

_ACTIONS = (upgrade, check, backup, restore, compact, delete, retain, rebuild, web_role)


def db(argv: Sequence[str]) -> int:
    """Look after the database: upgrade, check, back up, restore, compact, rebuild it; let go
    of runs; give the web pages a role.
    """
    parser = argparse.ArgumentParser(prog="orgboard db", description=db.__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action in _ACTIONS:
        action.add_parser(actions).set_defaults(run=action.run)
    options = parser.parse_args(argv)
    try:
        status: int = options.run(options, sys.stdout)
    except OrgboardError as error:
        sys.stderr.write(f"orgboard db: {error}\n")
        return error.exit_status
    return status
