"""Steps that make a first table."""

from pathlib import Path
from typing import Literal

import numpy as np

from nearshore_io.calibration.sections import Cell, Section, table_section
from nearshore_io.calibration.steps.base import Context, Step, StepResult
from nearshore_io.calibration.world import World, WorldData, build_world
from nearshore_io.errors import FormatError
from nearshore_io.library import entries, load_table
from nearshore_io.readers.published import read_published
from nearshore_io.readers.wiod import read_wiod
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable


class ReadStep(Step):
    """Read a published file, or a table by name.

    Attributes
    ----------
    file : in the folder of raw data. accounts, stressors : of WIOD's labour accounts, to read with it. table : the name
        of a shipped or imported table, instead of a file.
    """

    do: Literal["read"]
    file: str | None = None
    accounts: str | None = None
    stressors: tuple[str, ...] = ()
    table: str | None = None

    def raw_files(self, context: Context) -> list[Path]:
        """Return the file and the accounts."""
        files = [context.raw / name for name in (self.file, self.accounts) if name is not None]
        entry = entries().get(self.table) if self.table is not None else None
        if entry is not None:
            files.append(shipped("tables", entry.path.name) if entry.shipped else entry.path)
        return files

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table that was read."""
        if table is not None:
            raise FormatError('step "read" reads a first table: put it first.')
        if (self.file is None) == (self.table is None):
            raise FormatError('step "read": give either file or table.')
        if self.table is not None:
            found = load_table(self.table)
        elif self.accounts is not None:
            found = read_wiod(
                context.raw / str(self.file), accounts=context.raw / self.accounts, stressors=self.stressors
            )
        else:
            found = read_published(context.raw / str(self.file), None)
        line = f"{found.name}: {len(found.regions)} regions × {len(found.sectors)} sectors"
        return StepResult(found, (Section("Base table", self.rests_on, (line,)),))


class WorldStep(WorldData, Step):
    """Build a world table from national tables, customs trade, an older structure and import matrices (`WorldData`)."""

    do: Literal["world"]

    def raw_files(self, context: Context) -> list[Path]:
        """Return every file and folder it reads."""
        names = (self.national_tables, self.goods_trade, self.structure, self.import_matrices)
        concordances = [shipped("tables", "concordances", name) for name in (self.regions, self.structure_regions)]
        return [*(context.raw / name for name in names), *concordances]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the world table, with its trade accounted for."""
        if table is not None:
            raise FormatError('step "world" builds a first table: put it first.')
        world = build_world(context.raw, self, context.progress)
        return StepResult(world.table, _sections(world, self))


def _deviation(found: float, wanted: float) -> float:
    return round(100 * (found / wanted - 1), 4)


def _sections(world: World, step: WorldStep) -> tuple[Section, ...]:
    fit, trade = world.fit, world.trade.fit
    balance = (
        f"trade: {trade.iterations} rounds, largest residual {trade.residual:.1e}",
        f"table: GRAS, {fit.iterations} rounds, largest residual {fit.residual:.1e}, STPE {fit.stpe:.3g} %, "
        f"{fit.sign_flips} sign flips",
        *world.oddities,
    )
    return (
        Section("World table from national tables", step.rests_on, balance),
        table_section("GDP at market prices: every region", _gdp(world), digits=7),
        table_section(
            f"Intermediate imports of {step.importer} by product: held", _held(world, step.importer), digits=6
        ),
        table_section(
            "Exports that moved more than 2 %: what is held above is more than the national table exports",
            _moved_exports(world),
            digits=6,
        ),
        table_section("Goods trade between regions: the twenty that moved most", _moved_pairs(world), digits=6),
    )


def _gdp(world: World) -> list[dict[str, Cell]]:
    table = world.table
    rows: list[dict[str, Cell]] = []
    for region, wanted in world.gdp.items():
        found = float(table.v.sel(region=region).sum() + table.final_inputs.sel(final_region=region).sum())
        rows.append(
            {"region": region, "source, million USD": wanted, "table": found, "deviation, %": _deviation(found, wanted)}
        )
    return rows


def _held(world: World, importer: str) -> list[dict[str, Cell]]:
    """Return what the import matrices say of each product, and the table's flow."""
    flows = world.table.flows(to_region=importer)
    rows: list[dict[str, Cell]] = []
    for item in world.trade.known:
        if item.spread > 0:
            continue
        code, seller = item.name.split(": ")[-1], item.name.split(" from ")[1].split(":")[0]
        found = float(flows.sel(region=seller, sector=code).sum())
        rows.append(
            {
                "product": code,
                "source, million USD": item.value,
                "table": found,
                "deviation, %": _deviation(found, item.value),
            }
        )
    return rows


def _moved_pairs(world: World) -> list[dict[str, Cell]]:
    """Return the twenty pairs of regions whose goods trade moved most from what customs say."""
    soft = [(item, float(world.trade.X[item.cells].sum())) for item in world.trade.known if item.spread > 0]
    soft.sort(key=lambda pair: -abs(pair[1] - pair[0].value))
    return [
        {
            "pair": item.name,
            "wanted, million USD": item.value,
            "met": met,
            "deviation, %": _deviation(met, item.value),
        }
        for item, met in soft[:20]
    ]


def _moved_exports(world: World) -> list[dict[str, Cell]]:
    table, sold = world.table, world.trade.X.sum(axis=(2, 3))
    return [
        {
            "exports": f"{table.regions[i]} {table.sectors[p]}",
            "national table, million USD": float(world.exports[i, p]),
            "table": float(sold[i, p]),
            "deviation, %": _deviation(float(sold[i, p]), float(world.exports[i, p])),
        }
        for i, p in np.argwhere(np.abs(sold - world.exports) > np.maximum(0.02 * world.exports, 1.0))
    ]
