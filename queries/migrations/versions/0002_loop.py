"""The closed loop: cases as histories of events, roll-ups by department, and the tables beside them.

Every case gets the events that its dates imply, as an import gives them. The roll-ups are emptied; whoever
upgrades makes them anew (Store.upgrade), because days are counted in the city's own time.
"""

import time

import sqlalchemy as sa
from alembic import op

from queries.errors import StoreError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: What an imported row implies, one SELECT per kind of event; `old` are the changes that were recorded before.
_IMPLIED = """
WITH RECURSIVE times (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM times WHERE k < 99),
told AS (
    SELECT cases.*, status IN ('closed', 'cancelled') AND closed_at IS NOT NULL AS ended FROM cases
),
implied AS (
    SELECT id AS case_id, 1 AS part, 0 AS k, reported_at AS at, 'reported' AS step, 'reported' AS status, source AS actor,
           department_id, due_at, '' AS data, source, TRUE AS derived, CAST(:seen AS BIGINT) AS seen_at
    FROM told
    UNION ALL SELECT id, 2, 0, filed_at, 'filed', 'filed', source, NULL, NULL, '', source, TRUE, CAST(:seen AS BIGINT)
    FROM told WHERE filed_at IS NOT NULL
    UNION ALL SELECT id, 3, times.k, COALESCE(closed_at, :seen), 'rework', 'handling', source, NULL, NULL, '', source, TRUE, CAST(:seen AS BIGINT)
    FROM told JOIN times ON times.k <= told.rework
    UNION ALL SELECT id, 4, 0, closed_at, status, status, source, NULL, NULL, '', source, TRUE, CAST(:seen AS BIGINT)
    FROM told WHERE ended
    UNION ALL SELECT id, 5, 0, CAST(:seen AS BIGINT), 'told', status, source, NULL, NULL, '', source, TRUE, CAST(:seen AS BIGINT)
    FROM told WHERE NOT ended AND status <> CASE WHEN rework > 0 THEN 'handling' WHEN filed_at IS NOT NULL THEN 'filed' ELSE 'reported' END
    UNION ALL SELECT case_id, 6, seq, at, step, '', actor, NULL, NULL,
           CASE WHEN note = '' THEN '' ELSE '{"told": ' || note || '}' END, actor, derived, seen_at FROM event_before
)
INSERT INTO event (case_id, seq, at, seen_at, step, status, actor, department_id, due_at, data, source, derived)
SELECT case_id, ROW_NUMBER() OVER (PARTITION BY case_id ORDER BY part, k), at, seen_at, step, status, actor, department_id, due_at,
       data, source, derived
FROM implied ORDER BY case_id, part, k
"""


def upgrade() -> None:
    if any(c["name"] == "post" for c in sa.inspect(op.get_bind()).get_columns("event")):
        raise StoreError("This database was made by a state of the program between two versions. Make a new one and load the city again.")
    _new_tables()
    _cases()
    _events()
    _sums()
    made = op.get_bind().scalar(sa.text("SELECT 1 FROM cases LIMIT 1"))
    if made:
        op.execute("INSERT INTO meta (key, value) VALUES ('rebuild', 'true')")
    op.create_index(
        "ix_cases_open_until", "cases", ["status", "department_id", "stage_due_at", "due_at", "node"], unique=False,
        sqlite_where=sa.text("is_open = 1"), postgresql_where=sa.text("is_open"),
    )


def _cases() -> None:
    for column in (
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since_at", sa.BigInteger()),
        sa.Column("stage_due_at", sa.BigInteger()),
        sa.Column("item", sa.Text(), server_default="", nullable=False),
        sa.Column("supervised", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("transfers", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("climbed", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("merged_into", sa.Integer()),
        sa.Column("left_s", sa.BigInteger()),
    ):
        op.add_column("cases", column)


def _events() -> None:
    op.rename_table("event", "event_before")
    if op.get_bind().dialect.name == "postgresql":
        # A renamed table keeps the name of its key.
        op.execute("ALTER TABLE event_before RENAME CONSTRAINT pk_event TO pk_event_before")
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("post", sa.Text(), server_default="", nullable=False),
        sa.Column("department_id", sa.Integer()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("stage_due_at", sa.BigInteger()),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("data", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("derived", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.get_bind().execute(sa.text(_IMPLIED), {"seen": int(time.time())})
    op.drop_table("event_before")
    op.create_index("ix_event_case", "event", ["case_id", "seq"], unique=True)
    op.create_index("ix_event_step_at", "event", ["step", "at"], sqlite_where=sa.text("derived IS 0"), postgresql_where=sa.text("derived IS false"))
    op.execute(
        "UPDATE cases SET seq = (SELECT MAX(seq) FROM event WHERE case_id = cases.id), since_at = "
        "(SELECT at FROM event WHERE case_id = cases.id AND status <> '' ORDER BY seq DESC LIMIT 1)"
    )


def _sums() -> None:
    op.execute("DELETE FROM duration")
    op.drop_table("rollup")
    op.drop_table("open_now")
    keys = ("area_id", "grain", "bucket", "category_id", "department_id")
    measures = ("reported", "filed", "closed", "due", "due_closed", "due_on_time", "rework", "handled_n", "handled_s", "still_open")
    op.create_table(
        "rollup",
        *(sa.Column(name, sa.SmallInteger() if name == "grain" else sa.Integer(), autoincrement=False, nullable=False) for name in keys),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in measures),
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_rollup")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "open_now",
        *(sa.Column(name, sa.Integer(), autoincrement=False, nullable=False) for name in ("area_id", "category_id", "department_id")),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("area_id", "category_id", "department_id", "status", name=op.f("pk_open_now")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise StoreError("An upgraded database does not go back. Restore the copy that was made before.")


def _new_tables() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("areas", sa.Text(), server_default="[]", nullable=False),
        sa.Column("department", sa.Text(), server_default="", nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "duty",
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("area_code", "post", name=op.f("pk_duty")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "kind_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_kind_word")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "list_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_event")),
    )
    op.create_index(op.f("ix_list_event_item_id"), "list_event", ["item_id"], unique=False)
    op.create_table(
        "list_item",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), server_default="", nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("basis", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("temporary", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_item")),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "received",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_received")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refusal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("node", sa.Integer(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_table(
        "reporter",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("first_case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("contact", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reporter")),
    )
    op.create_index(op.f("ix_reporter_case_id"), "reporter", ["case_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "shift_line",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_line")),
    )
    op.create_index(op.f("ix_shift_line_area_code"), "shift_line", ["area_code"], unique=False)
    op.create_table(
        "tally",
        sa.Column("area_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("category_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("department_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("area_id", "grain", "bucket", "measure", "category_id", "department_id", name=op.f("pk_tally")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "time_limit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Integer(), nullable=False),
        sa.Column("valid_to", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_limit")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash"),
    )
    op.create_index(op.f("ix_token_source"), "token", ["source"], unique=False)
    op.create_table(
        "heard",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "what", name=op.f("pk_heard")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unprojected",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_unprojected")),
    )
    op.create_table(
        "whistle",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("node", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_post", sa.Text(), nullable=False),
        sa.Column("by_department_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("blown_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("climbed", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("rated_by_caller", sa.SmallInteger(), nullable=True),
        sa.Column("rated_by_called", sa.SmallInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_whistle")),
    )
    op.create_index(op.f("ix_whistle_case_id"), "whistle", ["case_id"], unique=False)
    op.create_index(
        "ix_whistle_out",
        "whistle",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("arrived_at IS NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("arrived_at IS NULL AND ended_at IS NULL"),
    )
