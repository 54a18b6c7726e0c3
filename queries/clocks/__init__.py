"""Time limits: how long a stage may take, on which clock, and when that is. Knows no case and takes no step."""

from queries.clocks.calendar import CLOCKS, Calendar
from queries.clocks.limits import STAGES, WHISTLES, Limit, Limits, read_calendar, read_limits

__all__ = ["CLOCKS", "STAGES", "WHISTLES", "Calendar", "Limit", "Limits", "read_calendar", "read_limits"]
