"""The Leontief quantity model: output and multipliers, open or closed for households."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import xarray as xr

from nearshore_io import labels
from nearshore_io.errors import ClosureError, LabelError, ShockError, SolverError, first_few
from nearshore_io.households import HouseholdLoop, Households, household_loop
from nearshore_io.labels import Wanted
from nearshore_io.solvers import (
    Auto,
    CertifiedFactorisation,
    Solution,
    Solver,
    Updated,
    require_productive,
    spectral_radius,
)
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.units import stamp


@dataclass(frozen=True, eq=False)
class Leontief:
    """x = (I − A)⁻¹ y over a table; factorised on first use, never inverted.

    Parameters
    ----------
    table : the table.
    solver : how to factorise; `Auto` chooses.
    closure : None for the open model (type I); ``"households"`` or `Households` for type II.

    Raises
    ------
    SolverError
        If ρ(A) ≥ 1 (Hawkins–Simon), with the industries named.
    ClosureError
        If the table lacks what the closure needs.
    """

    table: IOTable
    solver: Solver = field(default_factory=Auto)
    closure: Households | Literal["households"] | None = None

    def __post_init__(self) -> None:
        if self.closure == "households":
            object.__setattr__(self, "closure", Households())
        if not (self.closure is None or isinstance(self.closure, Households)):
            raise ClosureError(f"no closure {self.closure!r}: use None, 'households' or nio.Households(...).")
        with self.naming_industries():
            require_productive(self.table.A)
        if self.closure is not None:
            self.household_loop(self.table.y)

    @cached_property
    def factors(self) -> CertifiedFactorisation:
        """Factors of the open system I − A."""
        with self.naming_industries():
            return self.solver.factorise(self.table.A)  # type: ignore[return-value]

    @cached_property
    def system(self) -> CertifiedFactorisation:
        """Factors of the model's own system: open, or with the household loop as a low-rank update."""
        if self.closure is None:
            return self.factors
        return self.closed(self.factors, self.household_loop(self.table.y))

    def closed(self, factors: CertifiedFactorisation, loop: HouseholdLoop) -> CertifiedFactorisation:
        """Return factors of I − A − h_c h_r on top of those of I − A.

        Raises
        ------
        ClosureError
            If a round of household spending earns households more than they spent.
        """
        gain = spectral_radius(loop.earning @ factors.solve(loop.spending))
        if gain >= 1.0:
            raise ClosureError(
                f"household income exceeds value added: each round of spending returns {gain:.2f} of itself. "
                "Check the income stressor and its unit."
            )
        with self.naming_industries():
            return Updated(factors, loop.spending, loop.earning)

    def output(self, demand: xr.DataArray) -> xr.DataArray:
        """Return x = L y, gross output for a final demand, DataArray (region, sector).

        Parameters
        ----------
        demand : DataArray over region and sector, in the table's unit.

        Raises
        ------
        LabelError, ShockError, SolverError
            Labels that differ from the table's; demand for an industry that has no output; no trustworthy solution.

        Source: Miller & Blair (2009), eq. 2.11.
        """
        y = self.aligned(demand)
        self.require_active(np.flatnonzero(y), "final demand")
        solution = self.solve(y)
        return self.table.labelled(
            solution.x, self.table.unit, "gross output", solver=self.system.choice, residual=float(solution.residual)
        )

    def multipliers(self, s: str | xr.DataArray, origin: Wanted | None = None) -> xr.DataArray:
        """Return M = S L, stressor or input per unit of final demand, by one transposed solve.

        Parameters
        ----------
        s : name of an input or stressor, or intensities as a DataArray (region, sector), unit per money.
        origin : countries or groups whose own part is wanted, each a row of the result, dims (origin, region, sector);
            by default the whole world in one, dims (region, sector).

        Raises
        ------
        ShockError
            If intensities are unknown (NaN) somewhere in what is asked for.

        Source: Miller & Blair (2009), eq. 6.7.
        """
        intensity = self.intensities(s) if isinstance(s, str) else s
        values = self.aligned(intensity)
        rows = (
            [np.arange(self.table.n)]
            if origin is None
            else [self.table.positions(region=name) for name in labels.as_list(origin)]
        )
        weights = np.zeros((self.table.n, len(rows)))
        for k, places in enumerate(rows):
            weights[places, k] = values[places]
        self._require_known(weights, str(intensity.attrs.get("long_name", s)))
        with self.naming_industries():
            solution = self.system.solution(weights, transposed=True)
        shape = (len(rows), len(self.table.regions), len(self.table.sectors))
        dims = ("origin", "region", "sector")
        coords = {name: self.table.x.coords[name] for name in ("region", "sector", "country", "sector_name")}
        found = xr.DataArray(solution.x.T.reshape(shape), dims=dims, coords=coords)
        found = found.isel(origin=0) if origin is None else found.assign_coords(origin=labels.as_list(origin))
        name = f"{intensity.attrs.get('long_name', 'stressor')}: multiplier, type {'II' if self.closure else 'I'}"
        return stamp(
            found.rename("multipliers"),
            str(intensity.attrs.get("units", "")),
            name,
            residual=float(solution.residual.max()),
            solver=self.system.choice,
        )

    def intensities(self, name: str) -> xr.DataArray:
        """Return an input or stressor per unit of output, DataArray (region, sector); zero where there is no output.

        Raises
        ------
        LabelError
            If the table has no such input or stressor.
        """
        table = self.table
        known = {name: (values, table.unit) for name, values in table.inputs.items()} | table.stressors
        if name not in known:
            raise labels.unknown(name, "input or stressor", known)
        values, unit = known[name]
        return table.labelled(self.table.per_output(values), f"{unit} per {table.unit}", f"{name} per unit of output")

    def solve(self, y: Array) -> Solution:
        """Return the certified solution for plain arrays, y of shape (n,) or (n, k)."""
        with self.naming_industries():
            return self.system.solution(y)

    def household_loop(self, y: Array) -> HouseholdLoop:
        """Return the household loop for a final demand, shape (n, final regions × categories).

        Raises
        ------
        ClosureError
            If a country has labour accounts but no income, or nobody has.
        """
        closure = self.closure if isinstance(self.closure, Households) else Households()
        return household_loop(self.table, closure, y)

    def aligned(self, values: xr.DataArray) -> Array:
        """Return an array over (region, sector) in the table's order, shape (n,). Raises `LabelError`."""
        for dim in ("region", "sector"):
            if dim not in values.dims:
                raise LabelError(f"the array has dims {values.dims}; it needs region and sector.")
            known = list(self.table.regions if dim == "region" else self.table.sectors)
            labels.require_same(known, [str(label) for label in values[dim].values], dim, ("the table", "the array"))
        ordered = values.sel(region=list(self.table.regions), sector=list(self.table.sectors))
        return np.asarray(ordered.transpose("region", "sector").values, dtype=np.float64).ravel()

    def require_active(self, industries: Any, what: str) -> None:
        """Raise `ShockError` when an industry that is to produce has no output, hence no recipe, in the table."""
        idle = [i for i in np.unique(industries) if self.table.x.values.ravel()[i] == 0]
        if idle:
            raise ShockError(
                f"{what} asks {self.table.industry_names(idle)} to produce, but the table has no output there: "
                "it has no recipe and no value added to multiply. Choose an industry with output."
            )

    @contextmanager
    def naming_industries(self) -> Iterator[None]:
        """Put the labels of the industries a `SolverError` points at into its message."""
        try:
            yield
        except SolverError as error:
            if not error.industries:
                raise
            raise SolverError(
                f"{error} Industries: {self.table.industry_names(error.industries)}.", error.industries
            ) from error

    def _require_known(self, weights: Array, what: str) -> None:
        unknown = np.flatnonzero(np.isnan(weights).any(axis=1))
        if unknown.size:
            width = len(self.table.sectors)
            regions = dict.fromkeys(self.table.regions[i // width] for i in unknown)
            raise ShockError(
                f"{what} is unknown for {first_few(regions)}, so a world multiplier would be too small: "
                'name the countries you want, as in `multipliers("jobs", origin=["USA", "MEX"])`.'
            )
