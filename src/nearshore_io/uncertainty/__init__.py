"""How sure a table makes us: errors of its cells, drawn or carried through in closed form."""

from nearshore_io.uncertainty.dirichlet import DirichletErrors
from nearshore_io.uncertainty.errors import TableErrors, draw_tables, errors_of
from nearshore_io.uncertainty.lognormal import LognormalErrors

__all__ = ["DirichletErrors", "LognormalErrors", "TableErrors", "draw_tables", "errors_of"]
