"""A few totals of many scenarios, without their full vectors."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from nearshore_io.batch.economy import direct_effect
from nearshore_io.batch.run import named
from nearshore_io.errors import ClosureError, ShockError
from nearshore_io.leontief import Totals
from nearshore_io.scenarios import Phase, Scenario


def run_totals(totals: Totals, scenarios: Scenario | Iterable[Scenario], phase: Phase = "run") -> xr.DataArray:
    """Return totals of scenarios in one phase, DataArray (total, scenario); the same numbers as `run` sums to.

    Demand-only scenarios cost a product with M = W L; relocations cost a few columns of L each.

    Raises
    ------
    ShockError
        If a scenario does not have that phase.
    ClosureError
        Anything but demand, or a relocation at equal cost in the open model: use `run`.
    """
    if not isinstance(totals, Totals):
        raise ShockError(f"run_totals needs totals, from model.functionals(...), not {type(totals).__name__}.")
    scenarios = named(scenarios)
    model = totals.model
    x = model.table.x.values.ravel()
    found = np.empty((len(totals.names), len(scenarios)))
    for k, scenario in enumerate(scenarios):
        change = scenario.change(model.table, phase)
        direct = direct_effect(model, change)
        if change.only_demand:
            direct[model.held] = 0.0
            found[:, k] = totals.core.of_demand(direct)
            continue
        if model.closure is not None or not change.only_coefficients:
            raise ClosureError(
                f"scenario {scenario.name!r} needs the full route: use run (totals cover the open model, demand, and "
                "relocations at equal cost)."
            )
        demand = np.asarray(change.demand.sum(axis=1)).ravel()
        found[:, k] = totals.core.of_change(change.P, change.Q, x, demand)
    return totals.labelled(found, "scenario", {"scenario": [scenario.name for scenario in scenarios]})
