"""Steps that change what a table's regions and sectors are."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nearshore_io.calibration.export_plants import export_plants
from nearshore_io.calibration.processing import split_processing
from nearshore_io.calibration.sections import Cell, Section, table_section
from nearshore_io.calibration.splitting import split_region, split_sector
from nearshore_io.calibration.steps.base import Context, Step, StepResult
from nearshore_io.calibration.targets import Target
from nearshore_io.concordance import aggregate
from nearshore_io.errors import FormatError, StorageError
from nearshore_io.indicators import export_content
from nearshore_io.leontief import Leontief
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable


def concordance_file(name: str, context: Context) -> Path:
    """Return a concordance beside the recipe, or a shipped one. Raises `StorageError` if there is neither."""
    own = context.folder / name
    if own.is_file():
        return own
    try:
        return shipped("tables", "concordances", name)
    except StorageError as error:
        raise StorageError(f"no concordance {name} beside the recipe ({own}) or among the shipped ones.") from error


class AggregateStep(Step):
    """Aggregate regions, sectors or both by a concordance."""

    do: Literal["aggregate"]
    regions: str | None = None
    sectors: str | None = None

    def raw_files(self, context: Context) -> list[Path]:
        """Return the concordances."""
        return [concordance_file(name, context) for name in (self.regions, self.sectors) if name is not None]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the aggregated table."""
        found = aggregate(
            self.given(table),
            regions=concordance_file(self.regions, context) if self.regions else None,
            sectors=concordance_file(self.sectors, context) if self.sectors else None,
        )
        line = f"{len(found.regions)} regions × {len(found.sectors)} sectors"
        return StepResult(found, (Section("Aggregated", self.rests_on, (line,)),))


class SplitSectorStep(Step):
    """Split a sector by output shares (`split_sector`)."""

    do: Literal["split_sector"]
    sector: str
    into: dict[str, Any]
    names: dict[str, str] = Field(default_factory=dict)
    known: tuple[dict[str, Any], ...] = ()

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table with the sector split."""
        found = split_sector(
            self.given(table), self.sector, self.into, names=self.names, known=[Target(**k) for k in self.known],
            exchange_rates=context.exchange_rates,
        )  # fmt: skip
        return StepResult(found.table, (Section(f"{self.sector} split into {', '.join(found.parts)}", self.rests_on),))


class SplitRegionStep(Step):
    """Split a region by output shares (`split_region`)."""

    do: Literal["split_region"]
    region: str
    into: dict[str, Any]
    known: tuple[dict[str, Any], ...] = ()

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table with the region split."""
        found = split_region(
            self.given(table), self.region, self.into, known=[Target(**k) for k in self.known],
            exchange_rates=context.exchange_rates,
        )  # fmt: skip
        return StepResult(found.table, (Section(f"{self.region} split into {', '.join(found.parts)}", self.rests_on),))


class Alternative(BaseModel):
    """Other values of the assumptions of a processing split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float | None = None
    national_content: float | None = None
    import_odds: float | None = None


class ProcessingStep(Step):
    """Split a region's processing for export from the rest (`split_processing`).

    Attributes
    ----------
    exports : share of each industry's exports; or state_tables : INEGI's bi-regional tables, from which the share
        comes: exports of industries of a state that export ``threshold`` or more of what they make.
    floor : least share of an industry among ``sectors``. national_content : of the processing region. alternatives :
        other values of threshold, national_content and import_odds; the report shows what they do to content.
    """

    do: Literal["split_processing"]
    region: str
    into: tuple[str, str]
    exports: dict[str, float] | None = None
    state_tables: str | None = None
    threshold: float = 0.5
    floor: float = 0.0
    sectors: tuple[str, ...] = ()
    national_content: float
    keep: Literal["cells", "margins"] = "cells"
    import_odds: float = 4.0
    alternatives: tuple[Alternative, ...] = ()
    importer: str = "USA"

    def modules(self) -> tuple[str, ...]:
        """Return the quadratic program's solver."""
        return ("clarabel",)

    def raw_files(self, context: Context) -> list[Path]:
        """Return the state tables."""
        return [context.raw / self.state_tables] if self.state_tables else []

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the split table, and what other assumptions would give."""
        base = self.given(table)
        if (self.exports is None) == (self.state_tables is None):
            raise FormatError('step "split_processing": give either exports or state_tables.')
        found = self._split(base, context, {})
        rows = [self._row("as shipped", {}, found, base)]
        rows += [
            self._row(f"alternative {i + 1}", given, self._split(base, context, given), base)
            for i, given in enumerate(other.model_dump(exclude_none=True) for other in self.alternatives)
        ]
        before = Leontief(base)
        content = float(export_content(before, self.region, self.importer).sel(origin=self.importer))
        lines = (
            f"before the split, {self.importer} value added in exports to {self.importer} was {100 * content:.2f} "
            "cents per dollar",
        )
        shares: list[dict[str, Cell]] = [
            {"sector": code, "share of exports": share} for code, share in self._exports(context, base, {}).items()
        ]
        return StepResult(
            found,
            (
                table_section(
                    f"{self.region} split into {self.into[0]} and {self.into[1]}", rows, self.rests_on, lines
                ),
                table_section(f"Share of each industry's exports in {self.into[1]}", shares),
            ),
        )

    def _exports(self, context: Context, base: IOTable, given: dict[str, float]) -> dict[str, float]:
        if self.exports is not None:
            return self.exports
        file = context.raw / str(self.state_tables)
        return export_plants(file, base.sectors, self.sectors, given.get("threshold", self.threshold), self.floor)

    def _split(self, base: IOTable, context: Context, given: dict[str, float]) -> IOTable:
        return split_processing(
            base,
            self.region,
            self.into,
            exports=self._exports(context, base, given),
            national_content=given.get("national_content", self.national_content),
            keep=self.keep,
            import_odds=given.get("import_odds", self.import_odds),
        ).table

    def _row(self, name: str, given: dict[str, float], found: IOTable, base: IOTable) -> dict[str, Cell]:
        importer, home, second = self.importer, base.country[self.region], self.into[1]
        content = export_content(Leontief(found), home, importer)
        return {
            "case": name,
            "threshold": self.threshold,
            "national_content": self.national_content,
            "import_odds": self.import_odds,
            **given,
            f"output of {second}, million USD": float(found.x.sel(region=second).sum()),
            f"{importer} cents per dollar of exports to {importer}": 100 * float(content.sel(origin=importer)),
            f"{home} cents": 100 * float(content.sel(origin=home)),
        }
