"""Responses as labelled variables of one Dataset."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nearshore_io.batch.content import WHEN, flow_names
from nearshore_io.batch.economy import output_of
from nearshore_io.batch.response import Response
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change, Phase
from nearshore_io.solvers.base import Array
from nearshore_io.units import stamp

EFFECTS = ("direct", "indirect", "induced")


@dataclass(frozen=True, eq=False)
class Cell:
    """One scenario in one phase, with what it changed and what the model answered."""

    scenario: int
    phase: Phase
    change: Change
    response: Response
    content: Array | None = None


def add_variables(
    dataset: xr.Dataset,
    model: Leontief,
    cells: Sequence[Cell],
    phases: Sequence[Phase],
    *,
    effects: bool,
    content: bool,
) -> None:
    """Add every variable of the results to a Dataset that has their coordinates."""
    for name, values, units, long_name in _variables(model, cells):
        dataset[name] = _assembled(model, dataset, cells, values, phases, effects=effects)
        stamp(dataset[name], units, long_name, **model.table.marks)
    _state_unknown(dataset, model)
    _add_prices(dataset, model, cells, phases)
    _add_facts(dataset, cells, phases)
    if content:
        _add_content(dataset, model, cells, phases)


Values = Callable[[Cell], tuple[Array, Array, Array]]


def _variables(model: Leontief, cells: Sequence[Cell]) -> Iterable[tuple[str, Values, str, str]]:
    """Yield every variable: name, its (direct, indirect, induced) change in a cell, units and long name."""
    table = model.table

    def changed(name: str) -> Values:
        return lambda cell: changes_of(model, cell, name)

    yield "output", changed("output"), table.unit, "change of gross output"
    new = {name for cell in cells for name in cell.change.intensities} - {*table.inputs, *table.stressors}
    for name in [*table.inputs, *sorted(new)]:
        note = table.meta.get("value_added") if name == "value_added" else None
        words = f"change of {name.replace('_', ' ')}{f' ({note})' if note else ''}"
        yield name, changed(name), table.unit, words
    for name, (_, unit) in table.stressors.items():
        yield name, changed(name), unit, f"change of {name.replace('_', ' ')}"


def changes_of(model: Leontief, cell: Cell, name: str) -> tuple[Array, Array, Array]:
    """Return direct, indirect and induced changes of output, an input or a stressor by name, each (n,).

    What the table does not have per unit of output is what the change says of it.
    """
    table = model.table
    nothing = np.zeros(table.n)
    if name == "output":
        return _effects(model, cell, np.ones(table.n), nothing, None, "")
    known = name in table.inputs or name in table.stressors
    given_up = cell.response.given_up if name == "value_added" else None
    return _effects(model, cell, table.intensity(name) if known else nothing, cell.change.shift(name), given_up, name)


def _effects(
    model: Leontief, cell: Cell, intensity: Array, shift: Array, given_up: Array | None, name: str
) -> tuple[Array, Array, Array]:
    """Return direct, indirect and induced changes, each (n,), of something with an intensity s that shifts by Δs.

    (s + Δs) Δx + Δs x, and s_p x_p of new activities where they are booked.
    """
    x, response = output_of(model.table), cell.response
    parts = (response.direct, response.open - response.direct, response.closed - response.open)
    direct, indirect, induced = ((intensity + shift) * part for part in parts)
    direct = direct + shift * x + (0.0 if given_up is None else given_up)
    for activity in cell.change.activities:
        own = activity.intensities.get(name, 0.0) if name else 1.0
        for array, made in (
            (direct, activity.output(x)),
            (indirect, float(activity.sales @ response.open)),
            (induced, float(activity.sales @ (response.closed - response.open))),
        ):
            array[activity.at] += own * made
    period = cell.change.period
    return direct * period, indirect * period, induced * period


def _assembled(
    model: Leontief,
    dataset: xr.Dataset,
    cells: Sequence[Cell],
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


def _add_prices(dataset: xr.Dataset, model: Leontief, cells: Sequence[Cell], phases: Sequence[Phase]) -> None:
    """Add changes of prices, and the worth of capped output, where a scenario has them."""
    lead = (dataset.sizes["scenario"], len(phases))
    grid = (len(model.table.regions), len(model.table.sectors))
    for name, units, long_name in (
        ("price", "relative to the table's prices", "change of sellers' prices"),
        ("shadow_price", "objective per unit of output", "worth of one more unit of capped output"),
    ):
        stated = {cell: getattr(cell.response, name) for cell in cells if getattr(cell.response, name) is not None}
        if stated:
            values = np.full((*lead, *grid), np.nan)
            for cell, vector in stated.items():
                values[cell.scenario, phases.index(cell.phase)] = vector.reshape(grid)
            dataset[name] = (("scenario", "phase", "region", "sector"), values)
            stamp(dataset[name], units, long_name, **model.table.marks, rate="not to be summed")


def _add_facts(dataset: xr.Dataset, cells: Sequence[Cell], phases: Sequence[Phase]) -> None:
    """Add what shocks state beside their effects, DataArray (scenario, phase, fact); NaN where a scenario has none."""
    stated = [(cell, {**cell.change.facts, **cell.response.facts}) for cell in cells]
    units = {name: fact.unit for _, facts in stated for name, fact in facts.items()}
    if not units:
        return
    names = list(units)
    values = np.full((dataset.sizes["scenario"], len(phases), len(names)), np.nan)
    for cell, facts in stated:
        for name, fact in facts.items():
            values[cell.scenario, phases.index(cell.phase), names.index(name)] = fact.value
    dataset["fact"] = (("scenario", "phase", "fact_name"), values)
    dataset.coords["fact_name"] = names
    dataset.coords["fact_unit"] = ("fact_name", [units[name] for name in names])
    stamp(dataset["fact"], "see fact_unit", "stated by the shocks")


def _add_content(dataset: xr.Dataset, model: Leontief, cells: Sequence[Cell], phases: Sequence[Phase]) -> None:
    """Add content of exports (scenario, phase, flow, when); NaN where limits hold output back."""
    flows = flow_names(model.table)
    values = np.full((dataset.sizes["scenario"], len(phases), len(flows), len(WHEN)), np.nan)
    for cell in cells:
        if cell.content is not None:
            values[cell.scenario, phases.index(cell.phase)] = cell.content
    dataset["content"] = (("scenario", "phase", "flow", "when"), values)
    dataset.coords["flow"], dataset.coords["when"] = flows, list(WHEN)
    unit = model.table.unit
    stamp(
        dataset["content"],
        f"{unit} per {unit}",
        "value added by origin per unit of exports, v L e / 1'e",
        **model.table.marks,
    )


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
