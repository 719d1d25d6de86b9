"""OECD's Inter-Country Input-Output tables, every edition as published."""

from nearshore_io.readers.icio.editions import Edition, editions
from nearshore_io.readers.icio.read import read_icio
from nearshore_io.readers.icio.source import Member, find_members
from nearshore_io.readers.icio.toy import write_toy_icio

__all__ = ["Edition", "Member", "editions", "find_members", "read_icio", "write_toy_icio"]
