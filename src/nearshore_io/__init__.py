"""What happens to jobs, value added and US content when production, investment or trade moves in North America."""

from nearshore_io import solvers, units
from nearshore_io.batch import counterfactual, run, run_totals
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
from nearshore_io.fetch import fetch_icio
from nearshore_io.households import Households
from nearshore_io.indicators import compare_published, export_content
from nearshore_io.leontief import Leontief
from nearshore_io.library import list_tables, load_table
from nearshore_io.merge import merge_regions
from nearshore_io.readers import (
    from_frames,
    from_pymrio,
    read_icio,
    read_oecd_iot,
    read_stressors,
    read_table,
    read_wiod,
    to_pymrio,
    write_table,
    write_toy_icio,
)
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
    "compare_published",
    "counterfactual",
    "export_content",
    "fetch_icio",
    "from_frames",
    "from_pymrio",
    "list_tables",
    "load_table",
    "merge_regions",
    "read_concordance",
    "read_icio",
    "read_oecd_iot",
    "read_scenarios",
    "read_stressors",
    "read_table",
    "read_wiod",
    "run",
    "run_totals",
    "solvers",
    "to_pymrio",
    "units",
    "write_table",
    "write_toy_icio",
]
