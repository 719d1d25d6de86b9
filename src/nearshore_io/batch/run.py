"""`run`: scenarios in, one labelled Dataset out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, overload

import numpy as np
import xarray as xr

from nearshore_io.batch.assemble import EFFECTS, Cell, add_variables
from nearshore_io.batch.content import content_after, content_before
from nearshore_io.batch.economy import output_of
from nearshore_io.batch.engine.drive import options_of, run_sweep
from nearshore_io.batch.respond import respond
from nearshore_io.errors import ShockError, first_few
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change, Phase, Scenario, assumptions
from nearshore_io.scenarios.base import PHASES
from nearshore_io.scenarios.parameters import CENTRAL
from nearshore_io.stores import SweepResults
from nearshore_io.sweeps import Sweep

Progress = Callable[[int, int], None]
REDIRECTED = "purchases that change their origin"
CLOCK = {
    "build": "once; jobs are job-years",
    "run": "per year",
    "event": "once, over the days of the disruption; jobs are job-years",
}


@overload
def run(
    model: Leontief,
    scenarios: Scenario | Iterable[Scenario],
    *,
    effects: bool = False,
    variants: bool = False,
    content: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset: ...


@overload
def run(
    model: Leontief | Sequence[Leontief], scenarios: Sweep, *, progress: Progress | None = None, **options: Any
) -> SweepResults: ...


def run(
    model: Any,
    scenarios: Any,
    *,
    effects: bool = False,
    variants: bool = False,
    content: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> xr.Dataset | SweepResults:
    """Return what scenarios change against the table, Dataset over (scenario, phase, region, sector).

    Parameters
    ----------
    model : open (type I), closed for households (type II), or mixed.
    scenarios : one or many, with different names.
    effects : add a dim ``effect`` (direct, indirect, induced) that sums to the total.
    variants : add a dim ``variant``: the central values, the combinations that span the scenario's band, and variants
        of its own. Sum first, then take `band` over it. Of variants that another scenario has, a scenario repeats its
        central values (``own_variant`` is False there).
    content : add ``content``, US and Mexican value added per dollar of each other's exports, before and after.
    progress : called with (done, all) as scenarios are solved.
    options : of a sweep, the fields of `engine.drive.Options`: ``totals``, ``vectors``, ``store``, ``band``,
        ``scheduler``, … A sweep takes several models too, one for each table, and returns `SweepResults`.

    Returns
    -------
    Dataset with ``output``, every primary input (``value_added``, …) and every stressor (``jobs``, …), as changes.
    ``phase`` holds the labels that occur: build (once, job-years), run (per year) and event (once, the days of a
    disruption, job-years). A phase a scenario does not have is NaN; so is a stressor nobody published for an industry:
    every variable says in ``unknown_share`` how much of the change of output, over all scenarios, falls on such
    industries. ``residual``, ``redirected`` and ``basis`` (gross or net) stand beside each scenario.
    Where a scenario has them: ``price``, the change of sellers' prices; ``shadow_price``, the worth of one more unit of
    capped output; ``fact``, numbers a shock states (a subsidy bill, a coherence ratio, duals), with ``fact_unit``.
    The attribute ``assumptions`` holds, as JSON, everything that reproduces the run (`assumptions_of`).

    Raises
    ------
    ShockError, LabelError, UnitError
        A shock that does not fit the table; the message names the scenario and the shock.
    ClosureError
        Limits on output in a model that is not open; households without income data.
    SolverError
        A residual above tolerance; a change that makes I − A singular.
    """
    models = [model] if isinstance(model, Leontief) or not isinstance(model, Sequence) else list(model)
    if strangers := [item for item in models if not isinstance(item, Leontief)]:
        raise ShockError(f"run needs a model, nio.Leontief(table), not {type(strangers[0]).__name__}.")
    if isinstance(scenarios, Sweep):
        if effects or variants or content:
            raise ShockError(
                'a sweep keeps totals: ask for totals="content MEX→USA", not for effects, variants or content.'
            )
        return run_sweep(models, scenarios, options_of(options), progress)
    if options or not isinstance(model, Leontief):
        what = f"{first_few(options)} is an option of sweeps" if options else "several models are for sweeps"
        raise ShockError(f"run: {what}; wrap shocks as nio.Sweep(name, shocks=[...], axes={{...}}).")
    listed = named(scenarios)
    if variants:
        return _with_variants(model, listed, effects=effects, content=content, progress=progress)
    cells = _solve(model, listed, progress, content=content)
    phases = [phase for phase in PHASES if any(cell.phase == phase for cell in cells)]
    dataset = xr.Dataset(coords=_coords(model, listed, phases, cells, effects=effects))
    add_variables(dataset, model, cells, phases, effects=effects, content=content)
    dataset.attrs = _facts(model, cells, listed)
    return dataset


def _with_variants(
    model: Leontief, scenarios: Sequence[Scenario], *, effects: bool, content: bool, progress: Progress | None
) -> xr.Dataset:
    """Return the results of all variants along a dim of their own; a scenario repeats its central values elsewhere."""
    names = list(dict.fromkeys([CENTRAL, *(name for scenario in scenarios for name in scenario.variants)]))
    every = [scenario.variant(name) for scenario in scenarios for name in scenario.variants]
    found = run(model, [*scenarios, *every], effects=effects, content=content, progress=progress)
    central = found.sel(scenario=[scenario.name for scenario in scenarios]).drop_vars(["residual", "redirected"])
    layers = []
    for name in names:
        rows = [f"{s.name}: {name}" if name in s.variants else s.name for s in scenarios]
        layer = found.drop_vars(["residual", "redirected"]).sel(scenario=rows)
        layers.append(layer.assign_coords({key: central[key] for key in ("scenario", "title", "basis")}))
    index = xr.Variable("variant", names)
    stacked = xr.concat(layers, index, data_vars="all", coords="minimal", compat="override", join="exact")
    stacked = stacked.transpose("scenario", "variant", "phase", ...)
    own = np.array([[name == CENTRAL or name in scenario.variants for name in names] for scenario in scenarios])
    stacked.coords["own_variant"] = (("scenario", "variant"), own)
    stacked.attrs = central.attrs | facts_of_scenarios(model, scenarios)
    return stacked


def band(quantity: xr.DataArray, dim: str = "variant") -> xr.DataArray:
    """Return low, central and high over variants, DataArray with a dim ``band`` in the place of ``variant``.

    Sums do not commute with bounds: sum over sectors and regions first (with ``skipna=False``, since xarray sums what
    nobody knows as zero), then take the band. Variants a file names itself may be other questions: leave those out by
    ``quantity.sel(variant=[...])`` where they are.

    Raises
    ------
    ShockError
        If the quantity has no variants.
    """
    if dim not in quantity.dims:
        raise ShockError(f"no dim {dim!r} to take a band over: run(model, scenarios, variants=True) has one.")
    layers = [quantity.min(dim), quantity.sel({dim: CENTRAL}, drop=True), quantity.max(dim)]
    found = xr.concat(layers, xr.Variable("band", ["low", "central", "high"]), coords="minimal", compat="override")
    found.attrs = dict(quantity.attrs)
    return found


def is_band(low: float, high: float) -> bool:
    """Tell whether two ends are a band, and not one number with what rounding makes of it."""
    return bool(np.isfinite(low) and np.isfinite(high) and high - low > 1e-9 * max(abs(low), abs(high)))


def named(scenarios: Scenario | Iterable[Scenario]) -> list[Scenario]:
    """Return scenarios as a list; raise `ShockError` unless they are scenarios of different names."""
    given: Any = scenarios
    if isinstance(given, str):
        raise ShockError(f"run: {given!r} is a name; nio.load_scenario({given!r}) has shipped scenarios.")
    listed: list[Any] = [scenarios]
    if isinstance(scenarios, Iterable) and not isinstance(scenarios, Scenario):
        listed = list(scenarios)
    strangers = [item for item in listed if not isinstance(item, Scenario)]
    if strangers or not listed:
        what = f"{strangers[0]!r} is not a Scenario" if strangers else "no scenario was given"
        raise ShockError(f"run: {what}; wrap shocks as nio.Scenario(name, shocks=[...]).")
    names = [scenario.name for scenario in listed]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ShockError(f"run: scenario names must differ; {first_few(twice)} occurs twice.")
    return listed


def _solve(model: Leontief, scenarios: Sequence[Scenario], progress: Progress | None, *, content: bool) -> list[Cell]:
    jobs = [
        (i, phase, change)
        for i, scenario in enumerate(scenarios)
        for phase, change in scenario.changes(model.table).items()
    ]
    simple = [job for job in jobs if job[2].only_demand]
    hard = [job for job in jobs if not job[2].only_demand]
    before = content_before(model) if content else None
    cells: list[Cell] = []
    for batch in [simple, *([job] for job in hard)]:
        responses = respond(model, [change for _, _, change in batch])
        for (i, phase, change), response in zip(batch, responses, strict=True):
            known = None if before is None else np.column_stack([before, content_after(model, change, response)])
            cells.append(Cell(i, phase, change, replace(response, economy=None), known))
        if progress is not None and batch:
            progress(len(cells), len(jobs))
    return cells


def _coords(
    model: Leontief, scenarios: Sequence[Scenario], phases: Sequence[Phase], cells: Sequence[Cell], *, effects: bool
) -> dict[str, object]:
    residual, redirected = (np.full((len(scenarios), len(phases)), np.nan) for _ in range(2))
    for cell in cells:
        residual[cell.scenario, phases.index(cell.phase)] = cell.response.residual
        redirected[cell.scenario, phases.index(cell.phase)] = _redirected(model, cell.change)
    known = model.table.x.coords
    coords: dict[str, object] = {
        "scenario": [scenario.name for scenario in scenarios],
        "phase": list(phases),
        "region": known["region"],
        "sector": known["sector"],
        "country": known["country"],
        "sector_name": known["sector_name"],
        "title": ("scenario", [scenario.title for scenario in scenarios]),
        "basis": ("scenario", [scenario.basis for scenario in scenarios]),
        "clock": ("phase", [CLOCK[phase] for phase in phases]),
        "residual": (("scenario", "phase"), residual),
        "redirected": (("scenario", "phase"), redirected, {"units": model.table.unit, "long_name": REDIRECTED}),
    }
    if "value_added" in model.table.inputs:
        before = model.table.v.sel(input="value_added").sum("sector").values
        described = {"units": model.table.unit, "long_name": "value added in the table"}
        coords["value_added_before"] = ("region", before, described)
    return coords | ({"effect": list(EFFECTS)} if effects else {})


def _redirected(model: Leontief, change: Change) -> float:
    """Return the purchases that change their origin, at the table's outputs and prices, in the table's unit.

    What leaves its sellers and arrives nowhere has no other origin; what prices move is not counted.
    """
    x = output_of(model.table)
    leaving = float((change.leaving @ x).sum() - change.moved.minimum(0.0).sum())
    net = float((change.P @ (change.Q @ x)).sum() + change.moved.sum())
    arriving = leaving + net + sum(activity.output(x) for activity in change.activities)
    return min(leaving, arriving) * change.period


def facts_of_scenarios(model: Leontief, scenarios: Sequence[Scenario]) -> dict[str, object]:
    """Return the assumptions of scenarios, and what the table has in the place of what they name."""
    notes = list(dict.fromkeys(note for scenario in scenarios for note in scenario.stand_ins(model.table)))
    return {"assumptions": assumptions.to_json(scenarios), **({"stand_ins": "; ".join(notes)} if notes else {})}


def _facts(model: Leontief, cells: Sequence[Cell], scenarios: Sequence[Scenario]) -> dict[str, object]:
    table = model.table
    without_run = [
        scenario.name
        for i, scenario in enumerate(scenarios)
        if not any(cell.scenario == i and cell.phase != "build" for cell in cells)
    ]
    facts: dict[str, object] = {
        **table.provenance,
        "table_year": str(table.year),
        "price_basis": str(table.meta.get("price_basis", "as in the table")),
        "closure": model.closure_words,
        "package": f"nearshore_io {version('nearshore_io')}",
        "solver": "; ".join(dict.fromkeys(cell.response.solver for cell in cells)),
        "residual": max(cell.response.residual for cell in cells),
        "limits": "coefficients, prices and supply respond only where a shock says so; supported, not created",
        **facts_of_scenarios(model, scenarios),
    }
    if without_run:
        facts["without_run_phase"] = (
            f"{first_few(without_run)}: state output= or capital_output_ratio= of the investment for its yearly effects"
        )
    return facts
