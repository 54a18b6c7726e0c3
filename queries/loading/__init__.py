"""A city folder comes in: all of it in one transaction, or nothing."""

from queries.loading.report import Report, SourceReport
from queries.loading.run import check, load

__all__ = ["Report", "SourceReport", "check", "load"]
