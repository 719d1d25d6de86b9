"""The calculator: a page that works out jobs, value added and US content by itself."""

from nearshore_io.explore.page import calculator, explorer, write_explorer
from nearshore_io.explore.terms import Terms, terms_of

__all__ = ["Terms", "calculator", "explorer", "terms_of", "write_explorer"]
