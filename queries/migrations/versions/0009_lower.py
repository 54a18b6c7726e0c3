"""The sums of all categories and departments are kept for a fourth level of areas too: communities hold many rows a day."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MEASURES = ("reported", "filed", "closed", "due", "due_closed", "due_on_time", "rework", "handled_n", "handled_s", "still_open")
KEY = ("area_id", "grain", "bucket")


def upgrade() -> None:
    """Fill the sums of the fourth level from those that are kept apart."""
    sums = ", ".join(f"sum({m})" for m in MEASURES)
    op.execute(f"INSERT INTO total ({', '.join((*KEY, *MEASURES))}) SELECT {', '.join(f'r.{k}' for k in KEY)}, {sums} "
               "FROM rollup r JOIN area a ON a.id = r.area_id WHERE a.level = 3 GROUP BY r.area_id, r.grain, r.bucket")
