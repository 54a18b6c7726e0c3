"""What all categories and departments of an upper area come to is kept: most questions are about all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MEASURES = ("reported", "filed", "closed", "due", "due_closed", "due_on_time", "rework", "handled_n", "handled_s", "still_open")
KEY = ("area_id", "grain", "bucket")


def upgrade() -> None:
    """Make the table and fill it from the sums that are kept apart."""
    op.create_table(
        "total",
        sa.Column("area_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_total")),
        sqlite_with_rowid=False,
    )
    sums = ", ".join(f"sum({m})" for m in MEASURES)
    op.execute(f"INSERT INTO total ({', '.join((*KEY, *MEASURES))}) SELECT {', '.join(f'r.{k}' for k in KEY)}, {sums} "
               "FROM rollup r JOIN area a ON a.id = r.area_id WHERE a.level < 3 GROUP BY r.area_id, r.grain, r.bucket")
