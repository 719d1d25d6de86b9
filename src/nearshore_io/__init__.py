"""What happens to jobs, value added and US content when production, investment or trade moves in North America."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearshore_io import balance, plot, solvers, units
    from nearshore_io.bars import progress
    from nearshore_io.batch import (
        assumptions_of,
        band,
        content_band,
        demand_flows,
        error_sources,
        gainers_and_losers,
        main_effects,
        run_totals,
        run_years,
        scenarios_of,
        table_band,
    )
    from nearshore_io.batch.answers import answers
    from nearshore_io.batch.compare import compare
    from nearshore_io.batch.counterfactual import counterfactual
    from nearshore_io.batch.run import run
    from nearshore_io.calibration import (
        Grade,
        Margins,
        Target,
        graded,
        hold_out,
        margins_of,
        pay_per_job,
        project,
        read_targets,
        reliability,
        split_processing,
        split_region,
        split_sector,
        write_calibration_report,
    )
    from nearshore_io.calibration.adjust import adjust
    from nearshore_io.calibration.calibrate import calibrate
    from nearshore_io.concordance import aggregate, read_concordance
    from nearshore_io.errors import (
        BalanceError,
        ClosureError,
        ConcordanceError,
        ConflictError,
        FormatError,
        LabelError,
        MissingExtraError,
        NearshoreError,
        ShockError,
        SolverError,
        StorageError,
        UnitError,
    )
    from nearshore_io.explore import write_explorer
    from nearshore_io.fetch import fetch_icio
    from nearshore_io.households import Households
    from nearshore_io.indicators import (
        compare_published,
        concentration,
        content_by_measure,
        decompose_exports,
        downstreamness,
        embodied_in_exports,
        exim_content,
        export_content,
        extraction,
        labour_value_content,
        linkages,
        metals_content,
        multiplier_table,
        origins,
        propagation_length,
        regional_value_content,
        tiva_indicators,
        trade_balances,
        trust_weighted_exposure,
        upstreamness,
    )
    from nearshore_io.indicators.exposure import exposure
    from nearshore_io.indicators.footprint import footprint
    from nearshore_io.leontief import Leontief
    from nearshore_io.library import list_tables, load_table
    from nearshore_io.merge import merge_regions
    from nearshore_io.mixed import Mixed
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
    from nearshore_io.report import read_results, write_report
    from nearshore_io.scenarios import (
        FDI,
        Capacity,
        ContentRule,
        Extraction,
        FinalDemand,
        Inventories,
        Output,
        Parameter,
        Plant,
        Question,
        Ramp,
        Relocation,
        Scenario,
        Tariff,
        Technology,
        Timing,
        TradeCost,
        Wage,
        list_gallery,
        load_scenario,
        read_scenarios,
    )
    from nearshore_io.stores import SweepResults, open_results
    from nearshore_io.sweeps import (
        Beta,
        Choice,
        Dirichlet,
        LogNormal,
        Normal,
        Sweep,
        Triangular,
        Uniform,
        read_sweep,
        scenario_sweep,
    )
    from nearshore_io.table import IOTable
    from nearshore_io.uncertainty import DirichletErrors, LognormalErrors, draw_tables
    from nearshore_io.versions import show_versions

__version__ = "0.1.0"

_MODULES = ("balance", "plot", "solvers", "units")
_NAMES: dict[str, str] = {
    "nearshore_io.batch": (
        "answers assumptions_of band compare content_band counterfactual demand_flows error_sources "
        "gainers_and_losers main_effects run run_totals run_years scenarios_of table_band"
    ),
    "nearshore_io.calibration": (
        "Grade Margins Target adjust calibrate graded hold_out margins_of pay_per_job project read_targets "
        "reliability split_processing split_region split_sector write_calibration_report"
    ),
    "nearshore_io.concordance": "aggregate read_concordance",
    "nearshore_io.errors": (
        "BalanceError ClosureError ConcordanceError ConflictError FormatError LabelError MissingExtraError "
        "NearshoreError ShockError SolverError StorageError UnitError"
    ),
    "nearshore_io.explore": "write_explorer",
    "nearshore_io.fetch": "fetch_icio",
    "nearshore_io.households": "Households",
    "nearshore_io.indicators": (
        "compare_published concentration content_by_measure decompose_exports downstreamness "
        "embodied_in_exports exim_content export_content exposure extraction footprint labour_value_content "
        "linkages metals_content multiplier_table origins propagation_length regional_value_content "
        "tiva_indicators trade_balances trust_weighted_exposure upstreamness"
    ),
    "nearshore_io.leontief": "Leontief",
    "nearshore_io.library": "list_tables load_table",
    "nearshore_io.merge": "merge_regions",
    "nearshore_io.mixed": "Mixed",
    "nearshore_io.readers": (
        "from_frames from_pymrio read_icio read_oecd_iot read_stressors read_table read_wiod to_pymrio "
        "write_table write_toy_icio"
    ),
    "nearshore_io.bars": "progress",
    "nearshore_io.report": "read_results write_report",
    "nearshore_io.scenarios": (
        "FDI Capacity ContentRule Extraction FinalDemand Inventories Output Parameter Plant Question Ramp "
        "Relocation Scenario Tariff Technology Timing TradeCost Wage list_gallery load_scenario "
        "read_scenarios"
    ),
    "nearshore_io.stores": "SweepResults open_results",
    "nearshore_io.sweeps": "Beta Choice Dirichlet LogNormal Normal Sweep Triangular Uniform read_sweep scenario_sweep",
    "nearshore_io.table": "IOTable",
    "nearshore_io.uncertainty": "DirichletErrors LognormalErrors draw_tables",
    "nearshore_io.versions": "show_versions",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}
"""Which module each public name is in: importing the package loads none of them, using a name loads what it needs."""

__all__ = [
    "FDI",
    "BalanceError",
    "Beta",
    "Capacity",
    "Choice",
    "ClosureError",
    "ConcordanceError",
    "ConflictError",
    "ContentRule",
    "Dirichlet",
    "DirichletErrors",
    "Extraction",
    "FinalDemand",
    "FormatError",
    "Grade",
    "Households",
    "IOTable",
    "Inventories",
    "LabelError",
    "Leontief",
    "LogNormal",
    "LognormalErrors",
    "Margins",
    "MissingExtraError",
    "Mixed",
    "NearshoreError",
    "Normal",
    "Output",
    "Parameter",
    "Plant",
    "Question",
    "Ramp",
    "Relocation",
    "Scenario",
    "ShockError",
    "SolverError",
    "StorageError",
    "Sweep",
    "SweepResults",
    "Target",
    "Tariff",
    "Technology",
    "Timing",
    "TradeCost",
    "Triangular",
    "Uniform",
    "UnitError",
    "Wage",
    "adjust",
    "aggregate",
    "answers",
    "assumptions_of",
    "balance",
    "band",
    "calibrate",
    "compare",
    "compare_published",
    "concentration",
    "content_band",
    "content_by_measure",
    "counterfactual",
    "decompose_exports",
    "demand_flows",
    "downstreamness",
    "draw_tables",
    "embodied_in_exports",
    "error_sources",
    "exim_content",
    "export_content",
    "exposure",
    "extraction",
    "fetch_icio",
    "footprint",
    "from_frames",
    "from_pymrio",
    "gainers_and_losers",
    "graded",
    "hold_out",
    "labour_value_content",
    "linkages",
    "list_gallery",
    "list_tables",
    "load_scenario",
    "load_table",
    "main_effects",
    "margins_of",
    "merge_regions",
    "metals_content",
    "multiplier_table",
    "open_results",
    "origins",
    "pay_per_job",
    "plot",
    "progress",
    "project",
    "propagation_length",
    "read_concordance",
    "read_icio",
    "read_oecd_iot",
    "read_results",
    "read_scenarios",
    "read_stressors",
    "read_sweep",
    "read_table",
    "read_targets",
    "read_wiod",
    "regional_value_content",
    "reliability",
    "run",
    "run_totals",
    "run_years",
    "scenario_sweep",
    "scenarios_of",
    "show_versions",
    "solvers",
    "split_processing",
    "split_region",
    "split_sector",
    "table_band",
    "tiva_indicators",
    "to_pymrio",
    "trade_balances",
    "trust_weighted_exposure",
    "units",
    "upstreamness",
    "write_calibration_report",
    "write_explorer",
    "write_report",
    "write_table",
    "write_toy_icio",
]


def __getattr__(name: str) -> Any:
    """Return a public name, importing its module on first use."""
    if name in _MODULES:
        return import_module(f"nearshore_io.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'nearshore_io' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, so that editors and notebooks complete them before they are loaded."""
    return sorted({*globals(), *__all__})
