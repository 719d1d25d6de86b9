"""What happens to jobs, value added and US content when production, investment or trade moves in North America."""

from nearshore_io import solvers, units
from nearshore_io.batch import counterfactual, run, run_totals
from nearshore_io.bundled import list_tables, load_table
from nearshore_io.concordance import aggregate, read_concordance
from nearshore_io.errors import (
    BalanceError,
    ClosureError,
    ConcordanceError,
    FormatError,
    LabelError,
    NearshoreError,
    ShockError,
    SolverError,
    StorageError,
    UnitError,
)
from nearshore_io.households import Households
from nearshore_io.indicators import export_content
from nearshore_io.leontief import Leontief
from nearshore_io.readers import from_frames, read_table, read_wiod, write_table
from nearshore_io.scenarios import FDI, FinalDemand, Relocation, Scenario, read_scenarios
from nearshore_io.table import IOTable

__version__ = "0.1.0"

__all__ = [
    "FDI",
    "BalanceError",
    "ClosureError",
    "ConcordanceError",
    "FinalDemand",
    "FormatError",
    "Households",
    "IOTable",
    "LabelError",
    "Leontief",
    "NearshoreError",
    "Relocation",
    "Scenario",
    "ShockError",
    "SolverError",
    "StorageError",
    "UnitError",
    "aggregate",
    "counterfactual",
    "export_content",
    "from_frames",
    "list_tables",
    "load_table",
    "read_concordance",
    "read_scenarios",
    "read_table",
    "read_wiod",
    "run",
    "run_totals",
    "solvers",
    "units",
    "write_table",
]
