"""`IOTable`: a multi-regional input-output table, frozen and labelled."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy.sparse import csr_array, issparse

from nearshore_io import labels, notebook
from nearshore_io.errors import BalanceError, first_few
from nearshore_io.labels import Positions, Wanted
from nearshore_io.solvers.base import Array, Matrix
from nearshore_io.table.arrays import (
    INDUSTRY,
    final_demand_array,
    final_inputs_array,
    frozen,
    inputs_array,
    require_shapes,
    stored,
    stressors_array,
)
from nearshore_io.table.check import CheckReport, check_table
from nearshore_io.table.sound import countries_of, require_free_names, require_sound
from nearshore_io.units import stamp

IN_FLOWS = "domestic and imported together"
"""What ``meta["flows"]`` says of a table whose flows hold imports: no model can be solved on it."""
RESIDUAL = "column residual: output less intermediate inputs (holds any product taxes and margins)"


@dataclass(frozen=True, eq=False)
class IOTable:
    """A world (or partial) input-output table on a full region × sector grid; two tables are equal only if identical.

    Attributes
    ----------
    Z : intermediate flows, shape (n, n) with n = regions × sectors, region-major; ndarray or ``csr_array``. Money.
    Y : final demand, DataArray (region, sector, final_region, category). Money.
    v : primary inputs, DataArray (input, region, sector): ``value_added``, ``taxes_less_subsidies``, … Money.
    final_inputs : the same inputs paid by final users (taxes on what households buy), DataArray (input, final_region,
        category); no rows where the source does not give them. Money.
    F : stressors, DataArray (stressor, region, sector): ``jobs``, ``compensation``, …; their units are the coordinate
        ``stressor_unit``. A cell nobody published is NaN, never zero.
    country : country of every region (MX1 and MX2 belong to MEX).
    meta : source, year, unit, price_basis, licence, history, …, and ``output``: the publisher's own output column.

    All arrays are read-only. x = Z·1 + Y·1 holds exactly, because x is that row sum.
    Source: Miller & Blair (2009), chapters 2 and 3.
    """

    Z: Matrix
    Y: xr.DataArray
    v: xr.DataArray
    final_inputs: xr.DataArray
    F: xr.DataArray
    country: Mapping[str, str]
    meta: Mapping[str, Any]

    @classmethod
    def from_arrays(
        cls,
        Z: Matrix,
        Y: Array,
        v: Mapping[str, Array] | None,
        *,
        regions: Sequence[str],
        sectors: Sequence[str],
        final_regions: Sequence[str],
        categories: Sequence[str],
        country: Mapping[str, str] | None = None,
        sector_names: Mapping[str, str] | None = None,
        final_inputs: Mapping[str, Array] | None = None,
        stressors: Mapping[str, tuple[Array, str]] | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> "IOTable":
        """Build a table from plain arrays.

        Parameters
        ----------
        Z : (n, n) flows, rows and columns region-major; dense or sparse. Copied, unless it is read-only already.
        Y : (n, final regions × categories), final-region-major.
        v : primary inputs by name, each (n,). None: one input ``value_added``, the column residual x − 1ᵀZ.
        country : country of each region; by default a region is its own country, but for `SPLIT_ACCOUNTS` (MX2 → MEX)
            where final demand does not name them.
        final_inputs : primary inputs paid by final users, by name, each (final regions × categories,).
        stressors : by name, (n,) values and their unit.

        Raises
        ------
        LabelError
            Duplicate or empty labels; a final region that is no country of the table.
        BalanceError
            Cells that are not finite numbers; arrays that do not fit the labels; an industry with inputs and no output.
        """
        regions = labels.require_unique(regions, "region")
        sectors = labels.require_unique(sectors, "sector")
        final_regions = labels.require_unique(final_regions, "final_region")
        categories = labels.require_unique(categories, "category")
        owners = countries_of(regions, final_regions, country or {})
        facts: dict[str, Any] = {"unit": "million USD", "year": None, "history": ()} | dict(meta or {})
        facts["year"] = None if facts["year"] is None else int(facts["year"])
        Z, Y, stressors = stored(Z), np.array(Y, dtype=np.float64), stressors or {}
        require_shapes(Z, Y, len(regions) * len(sectors), len(final_regions) * len(categories))
        if v is None:
            v = {"value_added": Z.sum(axis=1) + Y.sum(axis=1) - Z.sum(axis=0)}
            facts["value_added"] = RESIDUAL
        require_free_names([*v, *stressors])
        for name in final_inputs or {}:
            labels.position(name, list(v), "input")
        paid = {name: final_inputs[name] for name in v if final_inputs and name in final_inputs}
        names = sector_names or {}
        coords: dict[str, Any] = {
            "region": list(regions),
            "sector": list(sectors),
            "country": ("region", [owners[region] for region in regions]),
            "sector_name": ("sector", [names.get(sector, sector) for sector in sectors]),
        }
        final = {"final_region": list(final_regions), "category": list(categories)}
        table = cls(
            Z=Z,
            Y=final_demand_array(Y, coords, final, str(facts["unit"])),
            v=inputs_array(v, coords, str(facts["unit"])),
            final_inputs=final_inputs_array(paid, final, str(facts["unit"])),
            F=stressors_array(stressors, coords),
            country=MappingProxyType(owners),
            meta=MappingProxyType(facts),
        )
        require_sound(table)
        return table

    @classmethod
    def restored(cls, *, A: Matrix, sha256: str, **parts: Any) -> "IOTable":
        """Return a table from storage, with the coefficients and the checksum that were computed when it was stored.

        Parameters
        ----------
        parts : the attributes of a table, all of them, read-only. Nothing is copied and nothing is checked.
        """
        table = cls(**parts)
        vars(table).update(A=A, sha256=sha256)
        return table

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Codes of the regions, in the table's order."""
        return tuple(self.Y["region"].values.tolist())

    @cached_property
    def sectors(self) -> tuple[str, ...]:
        """Codes of the sectors, in the table's order."""
        return tuple(self.Y["sector"].values.tolist())

    @property
    def sector_names(self) -> dict[str, str]:
        """Readable name of each sector."""
        return dict(zip(self.sectors, self.Y["sector_name"].values.tolist(), strict=True))

    @cached_property
    def final_regions(self) -> tuple[str, ...]:
        """Codes of the countries of final use, in the table's order."""
        return tuple(self.Y["final_region"].values.tolist())

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Codes of the categories of final demand."""
        return tuple(self.Y["category"].values.tolist())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what another process rebuilds the table from: its parts, and the checksum where it is known."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in parts.items()}
        return _rebuilt, (plain, vars(self).get("sha256"))

    @property
    def inputs(self) -> dict[str, Array]:
        """Primary inputs by name, each (n,)."""
        values = self.v.values.reshape(self.v.sizes["input"], self.n)
        return dict(zip(self.v["input"].values.tolist(), values, strict=True))

    @property
    def paid_by_final_users(self) -> dict[str, Array]:
        """Primary inputs paid by final users by name, each (final regions × categories,)."""
        values = self.final_inputs.values.reshape(self.final_inputs.sizes["input"], self.y.shape[1])
        return dict(zip(self.final_inputs["input"].values.tolist(), values, strict=True))

    @property
    def stressors(self) -> dict[str, tuple[Array, str]]:
        """Stressors by name, each (n,), with their unit."""
        values = self.F.values.reshape(self.F.sizes["stressor"], self.n)
        pairs = zip(values, self.F["stressor_unit"].values.tolist(), strict=True)
        return dict(zip(self.F["stressor"].values.tolist(), pairs, strict=True))

    @cached_property
    def regions_of_final(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the regions of every country of final use, in the table's order."""
        return tuple(
            tuple(i for i, region in enumerate(self.regions) if self.country[region] == name)
            for name in self.final_regions
        )

    @cached_property
    def countries(self) -> tuple[str, ...]:
        """Codes of the countries, in the order their first region has."""
        return tuple(dict.fromkeys(self.country[region] for region in self.regions))

    @property
    def n(self) -> int:
        """Number of industries, regions × sectors."""
        return len(self.regions) * len(self.sectors)

    @property
    def unit(self) -> str:
        """Unit of all money in the table, such as "million USD"."""
        return str(self.meta["unit"])

    @property
    def year(self) -> int | None:
        """Year the table describes."""
        return self.meta["year"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """What to call the table: its name, or its source and year."""
        return str(self.meta.get("name") or f"{self.meta.get('source', 'table')} {self.year or ''}".strip())

    @property
    def marks(self) -> dict[str, str]:
        """What every quantity from an estimated table carries: that it is an estimate, and its band.

        The band is what nine tenths of the errors stayed within when the same kind of method was held against a table
        published later: of multipliers (and so of impacts), and of contents of a cent or more.
        """
        if "estimate" not in self.meta:
            return {}
        band = self.meta.get("estimate_band")
        if band is None:
            return {"estimate": str(self.meta["estimate"]), "estimate_band": "± unknown: moved after it was estimated"}
        words = (
            f"±{band['multipliers']:g} % for impacts and multipliers, ±{band['content']:g} % for foreign contents of a "
            f"cent or more (nine tenths of the errors of {band['method']}, {band['years']})"
        )
        return {"estimate": str(self.meta["estimate"]), "estimate_band": words}

    @property
    def provenance(self) -> dict[str, str]:
        """What every result says of the table it is from: name, checksum, and the marks of an estimate."""
        return {"table": self.name, "table_sha256": self.sha256, **self.marks}

    @cached_property
    def x(self) -> xr.DataArray:
        """Gross output, the row sum x = Z·1 + Y·1, DataArray (region, sector)."""
        return self.labelled(self.Z.sum(axis=1) + self.y.sum(axis=1), self.unit, "gross output (row sum)")

    @property
    def y(self) -> Array:
        """Final demand as a plain matrix, shape (n, final regions × categories)."""
        return np.asarray(self.Y.values.reshape(self.n, -1))

    @cached_property
    def A(self) -> Matrix:
        """Input coefficients A = Z x̂⁻¹, stored as Z is; zero columns where an industry has no output."""
        x = self.x.values.ravel()
        scale = np.divide(1.0, x, out=np.zeros(self.n), where=x != 0)
        if issparse(self.Z):
            A = csr_array((self.Z.data * scale[self.Z.indices], self.Z.indices, self.Z.indptr), shape=self.Z.shape)
            return frozen(A)
        return frozen(self.Z * scale)

    @cached_property
    def sha256(self) -> str:
        """Checksum of the content: labels, countries, unit, year and every number, whatever the storage."""
        digest = hashlib.sha256()
        coords = [self.Y[dim].values.tolist() for dim in (*INDUSTRY, "final_region", "category")]
        names = [self.v["input"].values.tolist(), self.F["stressor"].values.tolist()]
        names += [self.final_inputs["input"].values.tolist()] if self.final_inputs.size else []
        units = self.F["stressor_unit"].values.tolist()
        digest.update(repr((coords, names, units, dict(self.country), self.unit, self.year)).encode())
        for start in range(0, self.n, 256):
            rows = self.Z[start : start + 256]
            digest.update(_bytes(rows.toarray() if issparse(rows) else rows))
        for part in (self.Y, self.v, self.final_inputs, self.F):
            digest.update(_bytes(part.values))
        return digest.hexdigest()

    def per_output(self, values: Array) -> Array:
        """Return values / x for each industry, shape (n,); zero where there is no output, since none can change."""
        x = self.x.values.ravel()
        return np.asarray(np.divide(values, x, out=np.zeros(self.n), where=x != 0))

    def intensity(self, name: str) -> Array:
        """Return an input or stressor per unit of output, shape (n,), by name.

        Where there is no output, a stressor or input is zero, and ``value_added`` is one: an industry without inputs
        keeps all it is paid, so that primary inputs of a unit of demand sum to one for every industry.
        """
        if name in self.inputs:
            found = self.per_output(self.inputs[name])
            return np.where(self.x.values.ravel() == 0, 1.0, found) if name == "value_added" else found
        return self.per_output(self.stressors[name][0])

    def labelled(self, values: Array, units: str, long_name: str, **attrs: Any) -> xr.DataArray:
        """Return one number for each industry, shape (n,), as a read-only DataArray (region, sector)."""
        coords = {name: self.Y.coords[name] for name in (*INDUSTRY, "country", "sector_name")}
        array = np.asarray(values, dtype=np.float64).reshape(len(self.regions), len(self.sectors))
        array.flags.writeable = False
        return stamp(xr.DataArray(array, dims=INDUSTRY, coords=coords), units, long_name, **{**self.marks, **attrs})

    def region_positions(self, wanted: Wanted) -> Positions:
        """Return the positions of regions named by code, country or group, read-only. Raises `LabelError`."""
        names = labels.as_list(wanted)
        key = ("region", *names)
        if key not in self._looked_up:
            self._looked_up[key] = frozen(labels.region_positions(names, self.regions, self.country))
        return self._looked_up[key]

    def countries_of(self, wanted: Wanted) -> set[str]:
        """Return the countries of regions named by code, country or group. Raises `LabelError`."""
        return {self.country[self.regions[i]] for i in self.region_positions(wanted)}

    def sector_positions(self, wanted: Wanted) -> Positions:
        """Return the positions of sectors named by code or group, read-only. Raises `LabelError`."""
        names = labels.as_list(wanted)
        key = ("sector", *names)
        if key not in self._looked_up:
            self._looked_up[key] = frozen(labels.sector_positions(names, self.sectors, self.sector_names))
        return self._looked_up[key]

    @cached_property
    def _looked_up(self) -> dict[tuple[str, ...], Positions]:
        """Positions by what was asked for: a lookup takes 20 µs, and sweeps ask for the same names again and again."""
        return {}

    def positions(self, region: Wanted | None = None, sector: Wanted | None = None) -> Positions:
        """Return the positions of industries, region-major; None selects all. Raises `LabelError`."""
        r = np.arange(len(self.regions)) if region is None else self.region_positions(region)
        s = np.arange(len(self.sectors)) if sector is None else self.sector_positions(sector)
        return (r[:, None] * len(self.sectors) + s[None, :]).ravel()

    def select(self, region: Wanted | None = None, sector: Wanted | None = None) -> dict[str, list[str]]:
        """Return codes for ``array.sel(**table.select(...))``: regions by code, country or group, sectors likewise.

        Raises
        ------
        LabelError
            If a name is not in the table; the message lists the nearest.
        """
        chosen: dict[str, list[str]] = {}
        if region is not None:
            chosen["region"] = [self.regions[i] for i in self.region_positions(region)]
        if sector is not None:
            chosen["sector"] = [self.sectors[i] for i in self.sector_positions(sector)]
        return chosen

    def flows(
        self,
        region: Wanted | None = None,
        sector: Wanted | None = None,
        to_region: Wanted | None = None,
        to_sector: Wanted | None = None,
    ) -> xr.DataArray:
        """Return intermediate flows of any selection, DataArray (region, sector, to_region, to_sector).

        Raises
        ------
        LabelError
            If a name is not in the table.
        """
        seller, buyer = self.select(region, sector), self.select(to_region, to_sector)
        rows, columns = self.positions(region, sector), self.positions(to_region, to_sector)
        block = self.Z[rows][:, columns]
        dims = (*INDUSTRY, "to_region", "to_sector")
        coords = {
            "region": seller.get("region", list(self.regions)),
            "sector": seller.get("sector", list(self.sectors)),
            "to_region": buyer.get("region", list(self.regions)),
            "to_sector": buyer.get("sector", list(self.sectors)),
        }
        values = block.toarray() if issparse(block) else block
        array = xr.DataArray(values.reshape([len(coords[dim]) for dim in dims]), dims=dims, coords=coords)
        return stamp(array, self.unit, "intermediate flows")

    def imbalance(self, against: Literal["output", "inputs"] | None = None) -> xr.DataArray:
        """Return what the table's row sums miss, DataArray (region, sector).

        ``"output"`` is the publisher's output − x; ``"inputs"`` is x − (1ᵀZ + primary inputs).
        By default the first where the publisher's output is known, else the second.

        Raises
        ------
        BalanceError
            If the publisher's output is asked for and the table has none.
        """
        published = self.meta.get("output")
        if against is None:
            against = "inputs" if published is None else "output"
        labels.position(against, ("output", "inputs"), "side of the balance")
        x = self.x.values.ravel()
        if against == "inputs":
            gap = x - self.Z.sum(axis=0) - self.v.values.sum(axis=0).ravel()
            return self.labelled(gap, self.unit, "row output less column inputs", against=against)
        if published is None:
            raise BalanceError("this table came without a publisher's output column; use imbalance('inputs').")
        gap = published.values.ravel() - x
        return self.labelled(gap, self.unit, "publisher's output less row sum", against=against)

    def check(self) -> CheckReport:
        """Return a report of every oddity: imbalances, negative cells, zero outputs, ρ(A), missing satellites."""
        return check_table(self)

    def with_numbers(
        self,
        Z: Matrix | None = None,
        Y: Array | None = None,
        inputs: Mapping[str, Array] | None = None,
        stressors: Mapping[str, tuple[Array, str]] | None = None,
        meta: Mapping[str, Any] | None = None,
        final_inputs: Mapping[str, Array] | None = None,
    ) -> "IOTable":
        """Return a table on the same labels with other numbers; None keeps those of this table.

        The arguments are those of `from_arrays`; ``meta`` without an ``output`` drops the publisher's output column.
        """
        return IOTable.from_arrays(
            self.Z if Z is None else Z,
            self.y if Y is None else Y,
            self.inputs if inputs is None else inputs,
            regions=self.regions,
            sectors=self.sectors,
            final_regions=self.final_regions,
            categories=self.categories,
            country=self.country,
            sector_names=self.sector_names,
            final_inputs=self._paid(inputs) if final_inputs is None else final_inputs,
            stressors=self.stressors if stressors is None else stressors,
            meta=self.meta if meta is None else meta,
        )

    def _paid(self, inputs: Mapping[str, Array] | None) -> dict[str, Array]:
        """Return what final users pay of the inputs that a table with these inputs still has."""
        return {name: row for name, row in self.paid_by_final_users.items() if inputs is None or name in inputs}

    def with_stressors(self, stressors: Mapping[str, tuple[Array, str]], note: str) -> "IOTable":
        """Return the table with more stressors, by name: (n,) values and their unit.

        Raises
        ------
        LabelError
            If the table has a stressor of that name already.
        """
        labels.require_unique([*self.stressors, *stressors], "stressor")
        return self.with_numbers(stressors={**self.stressors, **stressors}, meta=self.noted(note))

    def with_output(self, output: Array) -> "IOTable":
        """Return the table with the publisher's own output column, (n,), kept in ``meta["output"]``."""
        column = self.labelled(np.array(output, dtype=np.float64), self.unit, "gross output as published")
        table = replace(self, meta=MappingProxyType({**self.meta, "output": column}))
        vars(table).update({name: vars(self)[name] for name in ("x", "A", "sha256") if name in vars(self)})
        return table  # what was computed from the same numbers holds for it too

    def noted(self, note: str, **facts: Any) -> Mapping[str, Any]:
        """Return the meta data with one more line of history, and facts replaced."""
        return MappingProxyType({**self.meta, **facts, "history": (*self.meta["history"], note)})

    def renumbered(self, note: str, **facts: Any) -> Mapping[str, Any]:
        """Return the meta data of a table made from this one with other numbers: without the publisher's output."""
        return MappingProxyType({key: value for key, value in self.noted(note, **facts).items() if key != "output"})

    def moved(self, note: str, **facts: Any) -> Mapping[str, Any]:
        """Return the meta data of a table whose cells were moved: what was said of the cells before holds no more."""
        said = {"estimate": f"{self.meta['estimate']}; then {note}"} if "estimate" in self.meta else {}
        named = {"name": f"{self.name}, {note}", **facts, **said}
        kept = self.renumbered(note, **named)
        gone = ("grades", "estimate_band")
        return MappingProxyType({key: value for key, value in kept.items() if key not in gone})

    def __repr__(self) -> str:
        storage = "sparse" if issparse(self.Z) else "dense"
        return (
            f"<IOTable {self.name}: {len(self.regions)} regions × {len(self.sectors)} sectors, {self.unit}, {storage}, "
            f"stressors: {first_few(self.stressors, 8) or 'none'}>"
        )

    def _repr_html_(self) -> str:
        marks = self.marks
        facts = {
            "regions": f"{len(self.regions)}: {first_few(self.regions, 20)}",
            "sectors": f"{len(self.sectors)}: {first_few(self.sectors, 12)}",
            "year": str(self.year or "unknown"),
            "unit": f"{self.unit}, {self.meta.get('price_basis') or 'price basis unknown'}",
            "storage": "sparse" if issparse(self.Z) else "dense",
            "inputs": first_few(self.inputs, 8),
            "stressors": first_few(self.stressors, 12) or "none",
            "estimate": marks.get("estimate", ""),
            "band": marks.get("estimate_band", ""),
            "SHA-256": self.sha256,
        }
        return notebook.card(f"IOTable {self.name}", facts)

    def industry_names(self, positions: Sequence[int] | Positions) -> str:
        """Return the first few of these industries as text, such as "MEX/c14"."""
        width = len(self.sectors)
        return first_few(f"{self.regions[i // width]}/{self.sectors[i % width]}" for i in positions)


def _bytes(values: Array) -> bytes:
    """Return the bytes of an array in C order, with one zero instead of two."""
    return (np.ascontiguousarray(values, dtype=np.float64) + 0.0).tobytes()


def _rebuilt(parts: dict[str, Any], sha256: str | None) -> IOTable:
    """Return a table from its parts as another process sent them, read-only again."""
    for name in ("Y", "v", "final_inputs", "F"):
        parts[name].values.flags.writeable = False
    for name in ("country", "meta"):
        parts[name] = MappingProxyType(parts[name])
    table = IOTable(**parts | {"Z": frozen(parts["Z"])})
    if sha256 is not None:
        vars(table)["sha256"] = sha256
    return table
