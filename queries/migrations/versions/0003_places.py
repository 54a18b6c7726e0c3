"""Whistles and refusals lie where their case lies: boundaries move cases, and a place kept twice would stay behind."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the second place away."""
    op.drop_column("whistle", "node")
    op.drop_column("refusal", "node")
