"""A city folder comes in: all of it in one transaction, or nothing."""

from queries.loading.report import Report, SourceReport
from queries.loading.room import HeldCity, held_city
from queries.loading.run import check, load

__all__ = ["HeldCity", "Report", "SourceReport", "check", "held_city", "load"]
