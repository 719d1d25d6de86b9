"""Reports for people who decide: the answer with its band, what it rests on, and how to make it again."""

from nearshore_io.report.read import read_results
from nearshore_io.report.write import write_report

__all__ = ["read_results", "write_report"]
