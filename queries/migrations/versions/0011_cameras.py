"""Cameras: live pictures of their own, what was found when one was asked, the reason of a view from the list, and its early end."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and the indexes by which the few that are not well are found, sums are made, and a moment of the past is read."""
    for name in ("gateway", "live", "found"):
        op.add_column("camera", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("camera", sa.Column("looked_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_camera_by_state", "camera", ["state", "node"], unique=False)
    op.create_index("ix_camera_health", "camera", ["node", "class", "state", "since_at", "seen_at"], unique=False)
    op.create_index("ix_camera_state_then", "camera_state", ["camera_id", "at"], unique=False)
    op.add_column("camera_view", sa.Column("cause", sa.Text(), server_default="", nullable=False))
    op.add_column("camera_view", sa.Column("ended_at", sa.BigInteger(), nullable=True))
    for name in ("by", "why"):
        op.add_column("camera_state", sa.Column(name, sa.Text(), server_default="", nullable=False))
