"""The ``nearshore`` command: parses, calls, prints."""

from nearshore_io.cli.app import main

__all__ = ["main"]
