"""Sums of all categories together are kept for a fourth level of areas; below it months are kept in them only, and handling times by day."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MEASURES = ("reported", "filed", "closed", "due", "due_closed", "due_on_time", "rework", "handled_n", "handled_s", "still_open")
KEY = ("area_id", "grain", "bucket")


def upgrade() -> None:
    """Make the new sums of those that are kept apart, then remove what is read no more."""
    columns, sums = ", ".join((*KEY, *MEASURES)), ", ".join(f"sum({m})" for m in MEASURES)
    op.execute(f"INSERT INTO total ({columns}) SELECT {', '.join(f'r.{k}' for k in KEY)}, {sums} FROM rollup r JOIN area a ON a.id = r.area_id "
               "WHERE a.level = 3 OR (a.level > 3 AND r.grain = 1) GROUP BY r.area_id, r.grain, r.bucket")
    for table in ("rollup", "duration"):
        op.execute(f"DELETE FROM {table} WHERE grain = 1 AND area_id IN (SELECT id FROM area WHERE level > 3)")
