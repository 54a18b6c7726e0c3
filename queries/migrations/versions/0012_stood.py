"""What stood on the duty roster from when to when, and when a line of the shift log was done: for a moment of the past."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both records. What stands on the roster is known from now on; when a line was done before is known to nobody."""
    stood = op.create_table(
        "duty_stood",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_stood")),
    )
    op.create_index(op.f("ix_duty_stood_area_code"), "duty_stood", ["area_code"], unique=False)
    op.create_index(op.f("ix_duty_stood_at"), "duty_stood", ["at"], unique=False)
    op.create_table(
        "shift_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_event")),
    )
    op.create_index(op.f("ix_shift_event_line_id"), "shift_event", ["line_id"], unique=False)
    duty = sa.table("duty", *(sa.column(name) for name in ("area_code", "post", "shown", "phone")))
    op.execute(stood.insert().from_select(
        ["area_code", "post", "shown", "phone", "at"],
        sa.select(duty.c.area_code, duty.c.post, duty.c.shown, duty.c.phone, sa.literal(int(time.time()), sa.BigInteger()))))
