"""Published files in, tables out; and the native format."""

from nearshore_io.readers.bridge import from_pymrio, to_pymrio
from nearshore_io.readers.frames import from_frames
from nearshore_io.readers.icio import read_icio, write_toy_icio
from nearshore_io.readers.iot import read_oecd_iot
from nearshore_io.readers.native import read_table, write_table
from nearshore_io.readers.published import read_published
from nearshore_io.readers.stressors import read_stressors
from nearshore_io.readers.wiod import read_wiod

__all__ = [
    "from_frames",
    "from_pymrio",
    "read_icio",
    "read_oecd_iot",
    "read_published",
    "read_stressors",
    "read_table",
    "read_wiod",
    "to_pymrio",
    "write_table",
    "write_toy_icio",
]
