"""`run`: scenarios in, one labelled Dataset out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nearshore_io.batch.response import Response, respond
from nearshore_io.errors import ShockError, first_few
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change, Phase, Scenario
from nearshore_io.scenarios.base import PHASES
from nearshore_io.solvers.base import Array
from nearshore_io.units import stamp

Progress = Callable[[int, int], None]
EFFECTS = ("direct", "indirect", "induced")
REDIRECTED = "purchases that change their origin"
CLOCK = {"build": "once; jobs are job-years", "run": "per year"}


@dataclass(frozen=True)
class _Cell:
    """One scenario in one phase, with what it did."""

    scenario: int
    phase: Phase
    change: Change
    response: Response


def run(
    model: Leontief,
    scenarios: Scenario | Iterable[Scenario],
    *,
    effects: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return what scenarios change against the table, Dataset over (scenario, phase, region, sector).

    Parameters
    ----------
    model : open (type I), or closed for households (type II).
    scenarios : one or many, with different names.
    effects : add a dim ``effect`` (direct, indirect, induced) that sums to the total.
    progress : called with (done, all) as scenarios are solved.

    Returns
    -------
    Dataset with ``output``, every primary input (``value_added``, …) and every stressor (``jobs``, …), as changes.
    ``phase`` holds the labels that occur: build (once, job-years) and run (per year). A phase a scenario does not
    have is NaN; so is a stressor nobody published for an industry: every variable says in ``unknown_share`` how much
    of the change of output, over all scenarios, falls on such industries. ``residual``, ``redirected`` and ``basis``
    (gross or net) stand beside each scenario.

    Raises
    ------
    ShockError, LabelError, UnitError
        A shock that does not fit the table; the message names the scenario and the shock.
    SolverError
        A residual above tolerance; a change that makes I − A singular.
    """
    if not isinstance(model, Leontief):
        raise ShockError(f"run needs a model, nio.Leontief(table), not {type(model).__name__}.")
    listed = named(scenarios)
    cells = _solve(model, listed, progress)
    phases = [phase for phase in PHASES if any(cell.phase == phase for cell in cells)]
    dataset = xr.Dataset(coords=_coords(model, listed, phases, cells, effects=effects))
    for name, values, units, long_name in _variables(model):
        dataset[name] = _assembled(model, dataset, cells, values, phases, effects=effects)
        stamp(dataset[name], units, long_name)
    _state_unknown(dataset, model)
    dataset.attrs = _facts(model, cells, listed)
    return dataset


def named(scenarios: Scenario | Iterable[Scenario]) -> list[Scenario]:
    """Return scenarios as a list; raise `ShockError` unless they are scenarios of different names."""
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


def _solve(model: Leontief, scenarios: Sequence[Scenario], progress: Progress | None) -> list[_Cell]:
    jobs = [
        (i, phase, change)
        for i, scenario in enumerate(scenarios)
        for phase, change in scenario.changes(model.table).items()
    ]
    simple = [job for job in jobs if job[2].only_demand]
    hard = [job for job in jobs if not job[2].only_demand]
    cells = []
    for batch in [simple, *([job] for job in hard)]:
        responses = respond(model, [change for _, _, change in batch])
        cells += [_Cell(*job, response) for job, response in zip(batch, responses, strict=True)]
        if progress is not None and batch:
            progress(len(cells), len(jobs))
    return cells


def _coords(
    model: Leontief, scenarios: Sequence[Scenario], phases: Sequence[Phase], cells: Sequence[_Cell], *, effects: bool
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
    return coords | ({"effect": list(EFFECTS)} if effects else {})


def _redirected(model: Leontief, change: Change) -> float:
    """Return the purchases that change their origin, at the table's outputs, in the table's unit."""
    inputs = change.leaving @ model.table.x.values.ravel()
    return float(inputs.sum() - change.moved.minimum(0.0).sum())


Values = Callable[[_Cell], tuple[Array, Array, Array]]


def _variables(model: Leontief) -> Iterable[tuple[str, Values, str, str]]:
    """Yield every variable: name, its (direct, indirect, induced) change in a cell, units and long name."""
    table = model.table

    def output(cell: _Cell) -> tuple[Array, Array, Array]:
        response = cell.response
        return response.direct, response.open - response.direct, response.closed - response.open

    def scaled(intensity: Array, costs: bool) -> Values:
        def change(cell: _Cell) -> tuple[Array, Array, Array]:
            per_unit = intensity - cell.change.cost if costs else intensity
            direct, indirect, induced = (per_unit * part for part in output(cell))
            return (direct - cell.change.cost * table.x.values.ravel() if costs else direct), indirect, induced

        return change

    yield "output", output, table.unit, "change of gross output"
    for name in table.inputs:
        note = table.meta.get("value_added") if name == "value_added" else None
        words = f"change of {name.replace('_', ' ')}{f' ({note})' if note else ''}"
        yield name, scaled(table.intensity(name), name == "value_added"), table.unit, words
    for name, (_, unit) in table.stressors.items():
        yield name, scaled(table.intensity(name), False), unit, f"change of {name.replace('_', ' ')}"


def _assembled(
    model: Leontief,
    dataset: xr.Dataset,
    cells: Sequence[_Cell],
    values: Values,
    phases: Sequence[Phase],
    *,
    effects: bool,
) -> xr.DataArray:
    table = model.table
    grid = (len(table.regions), len(table.sectors))
    lead = (dataset.sizes["scenario"], len(phases), *((len(EFFECTS),) if effects else ()))
    array = np.full((*lead, *grid), np.nan)
    for cell in cells:
        parts = np.array(values(cell)).reshape(len(EFFECTS), *grid)
        array[cell.scenario, phases.index(cell.phase)] = parts if effects else parts.sum(axis=0)
    dims = ("scenario", "phase", *(("effect",) if effects else ()), "region", "sector")
    return xr.DataArray(array, dims=dims)


def _state_unknown(dataset: xr.Dataset, model: Leontief) -> None:
    """Write into each stressor how much of the change of output falls on industries nobody published it for."""
    others = [str(dim) for dim in dataset["output"].dims if dim not in ("region", "sector")]
    change = abs(dataset["output"]).sum(others)
    for name in model.table.stressors:
        unknown = np.isnan(model.intensities(name).values)
        total = float(change.sum())
        share = float(change.values[unknown].sum() / total) if total else 0.0
        regions = [region for region, row in zip(model.table.regions, unknown, strict=True) if row.any()]
        dataset[name].attrs |= {"unknown_share": share, "unknown_regions": ", ".join(regions) or "none"}


def _facts(model: Leontief, cells: Sequence[_Cell], scenarios: Sequence[Scenario]) -> dict[str, object]:
    table = model.table
    without_run = [
        scenario.name
        for i, scenario in enumerate(scenarios)
        if not any(cell.scenario == i and cell.phase == "run" for cell in cells)
    ]
    facts: dict[str, object] = {
        "table": table.name,
        "table_sha256": table.sha256,
        "table_year": str(table.year),
        "price_basis": str(table.meta.get("price_basis", "as in the table")),
        "closure": _closure_words(model),
        "solver": "; ".join(dict.fromkeys(cell.response.solver for cell in cells)),
        "residual": max(cell.response.residual for cell in cells),
        "limits": "fixed coefficients and prices, no supply constraints; impacts are supported, not created",
    }
    if without_run:
        facts["without_run_phase"] = (
            f"{first_few(without_run)}: state output= or capital_output_ratio= of the investment for its yearly effects"
        )
    return facts


def _closure_words(model: Leontief) -> str:
    if model.closure is None:
        return "open (type I): households' spending is exogenous, induced effects are zero by construction"
    exogenous = model.household_loop(model.table.y).exogenous
    outside = f"; households of {first_few(exogenous)} have no income data and stay exogenous" if exogenous else ""
    return f"households (type II): an upper bound, average equals marginal spending{outside}"
