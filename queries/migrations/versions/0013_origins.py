"""Who found a case is kept with it, and the sums tell it, and which of those due were urgent (all sums are made anew); a release keeps its catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MEASURES = ("urgent_due", "urgent_on_time", "found", "called", "public", "machine")


def upgrade() -> None:
    """Add the columns; the newest code tells origins and counts."""
    op.add_column("cases", sa.Column("origin", sa.Text(), server_default="", nullable=False))
    for table in ("rollup", "total"):
        for name in MEASURES:
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("index_release", sa.Column("catalogue", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_alarm_closed_at", "alarm", ["closed_at"], unique=False)
    op.create_index("ix_alarm_began_at", "alarm", ["began_at"], unique=False)
    meta = sa.table("meta", sa.column("key"), sa.column("value"))
    op.execute(meta.delete().where(meta.c.key == "rebuild"))
    op.execute(meta.insert().values(key="rebuild", value="true"))
