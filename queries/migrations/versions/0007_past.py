"""What was open at a moment of the past is found by when cases were closed, and when we learned of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two indexes."""
    closed, ended = "closed_at IS NOT NULL", "AND (status IN ('closed', 'cancelled') OR step = 'changed')"
    op.create_index("ix_cases_closed", "cases", ["closed_at", "reported_at"], sqlite_where=sa.text(closed), postgresql_where=sa.text(closed))
    op.create_index("ix_event_ended", "event", ["seen_at", "case_id"], sqlite_where=sa.text(f"derived IS 0 {ended}"),
                    postgresql_where=sa.text(f"derived IS false {ended}"))
