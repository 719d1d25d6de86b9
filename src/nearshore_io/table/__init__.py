"""The table: `IOTable`, and the report on its oddities."""

from nearshore_io.table.check import CheckReport, Finding
from nearshore_io.table.iotable import IOTable

__all__ = ["CheckReport", "Finding", "IOTable"]
