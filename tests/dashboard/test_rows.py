"""PostgreSQL's own policies: what a query of the web process forgets, it does not show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, delete, exists, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.launch import look_at_role
from orgboard_dashboard.queries.announced import announce
from orgboard_dashboard.queries.visible import visible_projects, visible_runs
from orgboard_dashboard.viewer import LOCAL_VIEWER, SystemViewer, Viewer, Within
from orgboard_schema.commands import db
from orgboard_schema.errors import RoleUnfit
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.web_role import missing_rights, rows_are_guarded
from support.boards import opened
from support.permission_world import BLUE, NOW, RED, World, build_world
from support.postgres import fresh_database
from support.web_role import WEB_ROLE, as_web_role, web_engine

ANA, BEN, CEM, DOT = 1, 2, 3, 4
"""Runs the board; is in the red team; was granted the blue team's private project; is new."""

REFUSED = r"row-level security|permission denied"


@pytest.fixture(scope="module")
def world(postgres_url: str) -> Iterator[World]:
    with fresh_database(postgres_url) as url, opened(url) as board:
        made = build_world(board)
        _meet(made)
        yield made


@pytest.fixture(scope="module")
def web(world: World) -> Iterator[Engine]:
    engine = web_engine(world.engine)
    yield engine
    engine.dispose()


def _meet(world: World) -> None:
    with begin_write(world.engine) as conn:
        for number, name in enumerate(("ana", "ben", "cem", "dot"), 1):
            row = {"account_id": number, "name": name, "name_key": name, "kind": "person"}
            admin = {"is_admin": int(number == ANA), "created_at": NOW}
            conn.execute(insert(tables.account), row | admin)
        red = conn.scalar(select(tables.team.c.team_id).where(tables.team.c.name == RED))
        member = {"team_id": red, "account_id": BEN, "role": int(Role.VIEWER), "since": NOW}
        conn.execute(insert(tables.team_member), member)
        grant = {"project_id": _project_id(world, conn, BLUE, "private"), "account_id": CEM}
        conn.execute(insert(tables.project_grant), grant | {"role": 2, "since": NOW})


def _project_id(world: World, conn: Connection, team: str, visibility: str) -> int:
    of = tables.project.c
    name = world.project(team, visibility).name
    return int(conn.scalars(select(of.project_id).where(of.name == name)).one())


def _viewers(world: World) -> dict[str, Viewer]:
    with begin_read(world.engine) as conn:
        blue = _project_id(world, conn, BLUE, "private")
        red = conn.scalar(select(tables.team.c.team_id).where(tables.team.c.name == RED))
    uids = (world.project(BLUE, "private").first.uid,)

    def account(number: int, kind: str = "account", within: Within | None = None) -> Viewer:
        return Viewer(kind, "x", account_id=number, is_admin=number == ANA, within=within)  # type: ignore[arg-type]

    return {
        "here": LOCAL_VIEWER,
        "host": SystemViewer(),
        "admin": account(ANA),
        "member": account(BEN),
        "guest": account(CEM),
        "new": account(DOT),
        "token of a member in a team": account(BEN, "token", Within(team_id=red)),
        "token of a member elsewhere": account(BEN, "token", Within(project_id=blue)),
        "token of a guest": account(CEM, "token", Within(project_id=blue)),
        "share of a project": Viewer("share", "", within=Within(project_id=blue)),
        "share of a run": Viewer("share", "", within=Within(project_id=blue, uids=uids)),
        "card of an admin": account(ANA, "embed", Within(project_id=blue)),
        "card of a guest": account(CEM, "embed", Within(project_id=blue, uids=uids)),
        "card of nobody there": account(DOT, "embed", Within(project_id=blue, uids=uids)),
    }


def test_the_database_shows_whom_what_the_rules_of_queries_show(world: World, web: Engine) -> None:
    sizes = set()
    for name, viewer in _viewers(world).items():
        with begin_read(world.engine) as conn:
            projects = _ids(conn, tables.project, visible_projects(viewer))
            runs = _ids(conn, tables.run, visible_runs(viewer))

        with begin_read(web) as conn:
            announce(conn, viewer)
            shown = tables.run.c.standing == SHOWN
            assert _ids(conn, tables.project) == projects, name
            assert _ids(conn, tables.run, shown) == runs, name
        sizes.add((len(projects), len(runs)))
    # All, the organisation's, two of a team and that, one, one of one run, none.
    assert len(sizes) >= 5


def _ids(conn: Connection, table: object, *conditions: object) -> set[int]:
    of = tables.schema.tables[str(table)]
    return set(conn.scalars(select(next(iter(of.primary_key))).where(*conditions)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "table",
    ["run_note", "run_tag", "annotation", "saved_view", "source_file", "logdir", "graph_upload"],
)
def test_what_is_of_a_run_or_a_project_is_shown_with_it(
    world: World, web: Engine, table: str
) -> None:
    of = tables.schema.tables[table]
    with begin_read(world.engine) as conn:
        all_of_it = conn.execute(select(of)).all()
    with begin_read(web) as conn:
        announce(conn, _viewers(world)["guest"])
        some = conn.execute(select(of)).all()
        key = next(name for name in ("uid", "run_id", "project_id") if name in of.c)
        parent = tables.project if key == "project_id" else tables.run
        mine = set(conn.scalars(select(parent.c[key])))

    assert 0 < len(some) < len(all_of_it)
    assert {row._mapping[key] for row in some} - {None} <= mine


def test_what_one_watches_is_ones_own_while_one_sees_the_run(world: World, web: Engine) -> None:
    red, blue = world.project(RED, "team").first, world.project(BLUE, "private").first
    stood = {"since": NOW, "seen_standing": "", "seen_gaps": 0, "seen_gap_at": 0.0}
    with begin_write(world.engine) as conn:
        pairs = [(BEN, red.uid), (BEN, blue.uid), (CEM, blue.uid), (ANA, blue.uid)]
        rows = [stood | {"account_id": account, "uid": uid} for account, uid in pairs]
        conn.execute(insert(tables.watch), rows)
        comment = world.project(BLUE, "private").comment
        seen = {"comment_id": comment, "account_id": CEM, "seen_at": NOW}
        conn.execute(insert(tables.watch_seen), seen)
    watch = tables.watch.c
    shown: dict[str, tuple[set[tuple[int, str]], int]] = {}
    try:
        for name, viewer in _viewers(world).items():
            with begin_read(web) as conn:
                announce(conn, viewer)
                mine = {(row[0], row[1]) for row in conn.execute(select(tables.watch))}
                shown[name] = mine, len(conn.execute(select(tables.watch_seen)).all())
        with begin_write(web) as conn:
            announce(conn, _viewers(world)["guest"])
            theirs = {"account_id": BEN, "uid": blue.uid}
            assert conn.execute(delete(tables.watch).where(watch.account_id == ANA)).rowcount == 0
            with pytest.raises(ProgrammingError, match=REFUSED), conn.begin_nested():
                conn.execute(insert(tables.watch), stood | theirs)
    finally:
        world.restore()

    assert shown["admin"] == (set(pairs), 1)
    assert shown["member"] == ({(BEN, red.uid)}, 0)
    assert shown["guest"] == ({(CEM, blue.uid)}, 1)
    for name in ("new", "here", "share of a project", "share of a run"):
        assert shown[name] == (set(), 0), name


def test_who_was_not_announced_sees_nothing_and_nor_does_the_next_one(
    world: World, web: Engine
) -> None:
    with web.connect() as conn:
        for viewer in (None, SystemViewer(), None):
            with conn.begin():
                if viewer is not None:
                    announce(conn, viewer)
                there = conn.scalar(select(exists().where(tables.run.c.run_id > 0)))
            assert there is (viewer is not None)


def test_a_change_of_what_is_not_seen_changes_nothing(world: World, web: Engine) -> None:
    before = world.state()
    hidden = world.project(BLUE, "private").first
    with begin_write(web) as conn:
        announce(conn, _viewers(world)["member"])
        here = tables.run.c.uid == hidden.uid
        changed = conn.execute(update(tables.run).where(here).values(starred=1)).rowcount
        conn.execute(delete(tables.run_note).where(tables.run_note.c.uid == hidden.uid))
        note = {"uid": hidden.uid, "version": 1, "text": "", "author": "", "written_at": NOW}
        with pytest.raises(ProgrammingError, match=REFUSED), conn.begin_nested():
            conn.execute(insert(tables.run_note_before), note)

    assert changed == 0
    assert world.state() == before


def test_nothing_moves_to_where_the_mover_does_not_see_it(world: World, web: Engine) -> None:
    with begin_read(world.engine) as conn:
        private = _project_id(world, conn, BLUE, "private")
    mine = tables.run.c.uid == world.project(RED, "team").first.uid
    with begin_write(web) as conn:
        announce(conn, _viewers(world)["member"])
        with pytest.raises(ProgrammingError, match=REFUSED), conn.begin_nested():
            conn.execute(update(tables.run).where(mine).values(project_id=private))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = ''",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM run",
        "INSERT INTO block SELECT * FROM block",
        "UPDATE alembic_version SET version_num = ''",
        "DROP TABLE run",
        "ALTER TABLE run DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY all_of_it ON run USING (true)",
        "SET ROLE postgres",
        "COPY run TO PROGRAM 'cat'",
    ],
)
def test_the_web_role_may_not(web: Engine, statement: str) -> None:
    with begin_write(web) as conn:
        announce(conn, SystemViewer())
        with pytest.raises(ProgrammingError, match=r"must be (owner|superuser)|permission denied"):
            conn.execute(text(statement))


def test_tables_of_its_own_mislead_nobody(world: World, web: Engine) -> None:
    with begin_read(web) as conn:
        announce(conn, _viewers(world)["new"])
        seen = _ids(conn, tables.project)
    with begin_write(web) as conn:
        announce(conn, _viewers(world)["new"])
        conn.execute(text("CREATE TEMP TABLE team_member AS SELECT 1 AS a"))
        conn.execute(
            text(
                "CREATE TEMP TABLE project ON COMMIT DROP AS SELECT g AS project_id, g AS team_id,"
                " 'organisation' AS visibility FROM generate_series(1, 99) g"
            )
        )
        found = conn.scalar(text("SELECT seen_projects()"))
        conn.execute(text("DROP TABLE pg_temp.team_member"))

    assert set(found or ()) == seen


def test_the_web_role_lacks_nothing_and_is_held(world: World, web: Engine) -> None:
    with begin_read(web) as conn:
        assert missing_rights(conn) == []
        assert rows_are_guarded(conn)
    with begin_read(world.engine) as conn:
        assert not rows_are_guarded(conn)


def test_a_role_without_rights_is_told_of_them_and_one_that_sees_all_is_refused(
    postgres_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(postgres_database) as board:
        there = as_web_role(board.engine)
        with begin_write(board.engine) as conn:
            conn.execute(text(f"REVOKE INSERT ON audit FROM {WEB_ROLE}"))
        engine = open_engine(there)
        with begin_read(engine) as conn:
            assert missing_rights(conn) == ["INSERT on audit"]
        with pytest.raises(RoleUnfit, match=r"may not INSERT on audit: run `orgboard db web-role"):
            look_at_role(engine, WebConfig())
        engine.dispose()
        look_at_role(board.engine, WebConfig())
        assert capsys.readouterr().out == ""
        look_at_role(board.engine, WebConfig(accounts=True))
        assert "policies do not hold the role 'postgres'" in capsys.readouterr().out

    assert db(["web-role", WEB_ROLE, "--db", postgres_database]) == 0
    assert capsys.readouterr().out.startswith(f"{WEB_ROLE} may serve the web pages")
    assert db(["web-role", "postgres", "--db", postgres_database]) == 2
    assert "sees every row whatever the policies say" in capsys.readouterr().err
    assert db(["web-role", "nobody-of-that-name", "--db", postgres_database]) == 2
    assert "there is no role 'nobody-of-that-name'" in capsys.readouterr().err


def test_sqlite_has_no_roles(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(sqlite_url):
        assert db(["web-role", "web", "--db", sqlite_url]) == 2

    assert "SQLite has no roles" in capsys.readouterr().err
