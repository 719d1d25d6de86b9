"""Published files in, tables out; and the native format."""

from nearshore_io.readers.frames import from_frames
from nearshore_io.readers.native import read_table, write_table
from nearshore_io.readers.wiod import read_wiod

__all__ = ["from_frames", "read_table", "read_wiod", "write_table"]
