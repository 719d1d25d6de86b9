"""The Leontief quantity model: output and multipliers, open or closed for households."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import xarray as xr

from nearshore_io import labels, notebook
from nearshore_io.errors import ClosureError, LabelError, ShockError, SolverError, first_few
from nearshore_io.households import HouseholdLoop, Households, household_loop, income_stressor
from nearshore_io.labels import Positions, Wanted
from nearshore_io.mixed import Mixed, without_rows
from nearshore_io.solvers import (
    Auto,
    CertifiedFactorisation,
    Functionals,
    Solution,
    Solver,
    Updated,
    require_productive,
    spectral_radius,
    with_block,
)
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable
from nearshore_io.table.iotable import IN_FLOWS
from nearshore_io.units import stamp


@dataclass(frozen=True, eq=False)
class Totals:
    """Named linear totals of gross output (jobs of a country, value added of a country), ready for many shocks.

    Attributes
    ----------
    model : the model they were prepared on.
    names, units : one for each total.
    core : the arrays, `solvers.Functionals`.
    """

    model: "Leontief"
    names: tuple[str, ...]
    units: tuple[str, ...]
    core: Functionals

    def of_demand(self, demand: Any) -> xr.DataArray:
        """Return the totals of demand shocks, DataArray (total,) or (total, shock).

        Parameters
        ----------
        demand : DataArray (region, sector), or a dense or sparse array (n,) or (n, k) in the table's order and unit.
        """
        values = self.model.aligned(demand) if isinstance(demand, xr.DataArray) else demand
        found = self.core.of_demand(values)
        return self.labelled(found, "shock" if found.ndim == 2 else None)

    def labelled(self, values: Array, dim: str | None, coords: Mapping[str, Any] | None = None) -> xr.DataArray:
        """Return totals, shape (totals,) or (totals, k), with their names and units."""
        array = xr.DataArray(
            values,
            dims=("total", dim) if dim else ("total",),
            coords={"total": list(self.names), "unit": ("total", list(self.units)), **(coords or {})},
        )
        return stamp(
            array, "see unit", "change of totals", residual=self.core.residual, solver=self.model.system.choice,
            **self.model.table.marks,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Leontief:
    """x = (I − A)⁻¹ y over a table; factorised on first use, never inverted.

    Parameters
    ----------
    table : the table.
    solver : how to factorise; `Auto` chooses.
    closure : None for the open model (type I); ``"households"`` or `Households` for type II; `Mixed` where the outputs
        of some industries are given.

    Raises
    ------
    SolverError
        If ρ(A) ≥ 1 (Hawkins–Simon), with the industries named.
    ClosureError
        If the table lacks what the closure needs.
    """

    table: IOTable
    solver: Solver = field(default_factory=Auto)
    closure: Households | Mixed | Literal["households"] | None = None

    def __repr__(self) -> str:
        return f"<Leontief of {self.table.name}: {self.closure_words}, {self._solver_in_words}>"

    def _repr_html_(self) -> str:
        facts = {
            "table": f"{self.table.name}, {len(self.table.regions)} regions × {len(self.table.sectors)} sectors",
            "closure": self.closure_words,
            "solver": self._solver_in_words,
            "SHA-256": self.table.sha256,
        }
        return notebook.card("Leontief model", facts)

    @property
    def _solver_in_words(self) -> str:
        return (
            str(self.factors.choice) if "factors" in vars(self) else f"{type(self.solver).__name__}, not factorised yet"
        )

    def __post_init__(self) -> None:
        if self.closure == "households":
            object.__setattr__(self, "closure", Households())
        if not isinstance(self.table, IOTable):
            raise ShockError(
                f"Leontief needs an IOTable, not {type(self.table).__name__}: nio.load_table(), nio.read_wiod(...)."
            )
        if isinstance(self.solver, type) or not isinstance(self.solver, Solver):
            raise SolverError(f"solver must be one of nio.solvers, such as nio.solvers.DenseLU(), not {self.solver!r}.")
        if not (self.closure is None or isinstance(self.closure, (Households, Mixed))):
            raise ClosureError(
                f"no closure {self.closure!r}: use None, 'households', nio.Households(...) or nio.Mixed(...)."
            )
        if self.table.meta.get("flows") == IN_FLOWS:
            raise ClosureError(
                f"the flows of {self.table.name} are {IN_FLOWS}: multipliers would count foreign production as "
                'domestic. Read the table with imports="separate".'
            )
        with self.naming_industries():
            require_productive(self.table.A)
        if self.spends:
            self.household_loop(self.table.y)

    @property
    def spends(self) -> bool:
        """True when households spend what they earn (type II)."""
        return isinstance(self.closure, Households)

    @cached_property
    def held(self) -> Positions:
        """Positions of industries whose outputs are given, of the mixed closure."""
        if isinstance(self.closure, Mixed):
            return self.closure.positions(self.table)
        return np.zeros(0, dtype=np.intp)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what another process rebuilds the model from; it factorises for itself."""
        return type(self), (self.table, self.solver, self.closure)

    @property
    def closure_words(self) -> str:
        """What is held and what responds, in words that stand beside results."""
        if self.held.size:
            fixed = self.table.industry_names(self.held)
            return f"mixed: the outputs of {fixed} are given, and demand for their products adapts to them"
        if not self.spends:
            return "open (type I): households' spending is exogenous, induced effects are zero by construction"
        exogenous = self.household_loop(self.table.y).exogenous
        outside = f"; households of {first_few(exogenous)} have no income data and stay exogenous" if exogenous else ""
        return f"households (type II): an upper bound, average equals marginal spending{outside}"

    @cached_property
    def factors(self) -> CertifiedFactorisation:
        """Factors of the open system I − A."""
        with self.naming_industries():
            solver = with_block(self.solver, len(self.table.sectors))
            return cast(CertifiedFactorisation, solver.factorise(self.table.A))

    @cached_property
    def system(self) -> CertifiedFactorisation:
        """Factors of the model's own system: open, with the household loop, or without the rows of given outputs."""
        if self.spends:
            return self.closed(self.factors, self.household_loop(self.table.y))
        if self.held.size:
            with self.naming_industries():
                return Updated(self.factors, *without_rows(self.table, self.held))
        return self.factors

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
        weights = self.weights(s, origin)
        functionals = self.functionals(weights)
        found = weights.copy(data=functionals.core.M.reshape(weights.shape))
        stamp(
            found,
            str(weights.attrs["units"]),
            f"{weights.attrs['long_name']}: multiplier, type {'II' if self.spends else 'I'}",
            residual=functionals.core.residual,
            solver=self.system.choice,
            **self.table.marks,
        )
        return (found if origin is not None else found.isel(origin=0, drop=True)).rename("multipliers")

    def weights(self, s: str | xr.DataArray, origin: Wanted | None = None) -> xr.DataArray:
        """Return intensities with one row for each origin and zero elsewhere, DataArray (origin, region, sector).

        Parameters
        ----------
        s, origin : as for `multipliers`; without an origin there is one row, "world".

        Raises
        ------
        ShockError
            If intensities are unknown (NaN) somewhere in what is asked for.
        """
        intensity = self.intensities(s) if isinstance(s, str) else s
        values = self.aligned(intensity)
        names = ["world"] if origin is None else labels.as_list(origin)
        rows = np.zeros((len(names), self.table.n))
        for row, name in zip(rows, names, strict=True):
            places = self.table.positions(region=None if origin is None else name)
            row[places] = values[places]
        what = str(intensity.attrs.get("long_name", s))
        self._require_known(rows, what)
        coords = {name: self.table.x.coords[name] for name in ("region", "sector", "country", "sector_name")}
        shape = (len(names), len(self.table.regions), len(self.table.sectors))
        array = xr.DataArray(
            rows.reshape(shape), dims=("origin", "region", "sector"), coords={"origin": names, **coords}
        )
        return stamp(array, str(intensity.attrs.get("units", "")), what)

    def functionals(self, weights: xr.DataArray | Mapping[str, xr.DataArray]) -> "Totals":
        """Return totals of gross output, prepared by one transposed block solve: M = W L.

        After that a demand shock costs a sparse product, and a low-rank change of coefficients a few columns of L:
        the way to a few totals of very many shocks.

        Parameters
        ----------
        weights : from `weights`, or several of them by name.
        """
        if not isinstance(weights, (xr.DataArray, Mapping)) or not len(weights):
            raise LabelError("functionals need weights, from `weights(...)`, or several of them by name.")
        named = {"": weights} if isinstance(weights, xr.DataArray) else dict(weights)
        names, units, rows = [], [], []
        for name, array in named.items():
            if not isinstance(array, xr.DataArray) or "origin" not in array.dims:
                raise LabelError(
                    f"functionals need weights with a dim 'origin', from `weights(...)`, not {array!r:.60}."
                )
            rows.append(np.array([self.aligned(array.isel(origin=k)) for k in range(array.sizes["origin"])]))
            names += [f"{name}: {origin}" if name else str(origin) for origin in array["origin"].values]
            units += [str(array.attrs.get("units", "")).split(" per ")[0]] * array.sizes["origin"]
        with self.naming_industries():
            core = Functionals.prepare(self.system, np.concatenate(rows))
        return Totals(self, tuple(names), tuple(units), core)

    def intensities(self, name: str) -> xr.DataArray:
        """Return an input or stressor per unit of output, DataArray (region, sector); see `IOTable.intensity`.

        Raises
        ------
        LabelError
            If the table has no such input or stressor.
        """
        table = self.table
        known = {name: (values, table.unit) for name, values in table.inputs.items()} | table.stressors
        if name not in known:
            raise labels.unknown(name, "input or stressor", known, where=" in this table")
        unit = known[name][1]
        return table.labelled(table.intensity(name), f"{unit} per {table.unit}", f"{name} per unit of output")

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
        return household_loop(self.table, self._households, y)

    @property
    def income(self) -> str:
        """Name of the stressor that holds the labour income households spend. Raises `ClosureError` without one."""
        return income_stressor(self.table, self._households)

    @property
    def _households(self) -> Households:
        return self.closure if isinstance(self.closure, Households) else Households()

    def aligned(self, values: xr.DataArray) -> Array:
        """Return an array over (region, sector) in the table's order, shape (n,). Raises `LabelError`."""
        if not isinstance(values, xr.DataArray) or set(values.dims) != {"region", "sector"}:
            dims = values.dims if isinstance(values, xr.DataArray) else type(values).__name__
            raise LabelError(f"an array over region and sector is needed, a DataArray with these dims, not {dims}.")
        for dim in ("region", "sector"):
            labels.require_unique([str(label) for label in values[dim].values], dim)
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
        unknown = np.flatnonzero(np.isnan(weights).any(axis=0))
        if unknown.size:
            width = len(self.table.sectors)
            regions = dict.fromkeys(self.table.regions[i // width] for i in unknown)
            raise ShockError(
                f"{what} is unknown for {first_few(regions)}, so a world multiplier would be too small: "
                'name the countries you want, as in `multipliers("jobs", origin=["USA", "MEX"])`.'
            )
