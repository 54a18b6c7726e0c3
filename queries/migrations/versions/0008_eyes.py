"""Cameras: what each was from when on, and the session to which a view belongs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table, and begin the history with what is known now."""
    op.add_column("camera_view", sa.Column("session", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "camera_state",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_state")),
    )
    op.create_index(op.f("ix_camera_state_camera_id"), "camera_state", ["camera_id"], unique=False)
    op.execute("INSERT INTO camera_state (camera_id, at, state) SELECT id, since_at, state FROM camera WHERE since_at IS NOT NULL")
