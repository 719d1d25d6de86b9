"""Steps that move a table's numbers to what is known."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from nearshore_io.calibration.adjust import HIT, adjust
from nearshore_io.calibration.projection import Margins, project
from nearshore_io.calibration.sections import Cell, Section, table_section
from nearshore_io.calibration.steps.base import Context, Step, StepResult, first_fault
from nearshore_io.calibration.system import System
from nearshore_io.calibration.targets import Target, read_targets
from nearshore_io.errors import ConflictError, FormatError, first_few
from nearshore_io.files import read_remarked_csv
from nearshore_io.indicators import compare_published
from nearshore_io.leontief import Leontief
from nearshore_io.shipped import shipped
from nearshore_io.table import IOTable

_TARGET = TypeAdapter(Target)


class _Targeted(Step):
    target: tuple[dict[str, Any], ...] = ()
    targets_file: str | None = None
    empty: Literal["error", "drop"] = "error"

    def raw_files(self, context: Context) -> list[Path]:
        """Return the file of targets."""
        return [context.folder / self.targets_file] if self.targets_file else []

    def targets(self, context: Context) -> tuple[Target, ...]:
        """Return the targets of the recipe, then those of its file. Raises `FormatError` on an unknown entry."""
        try:
            own = tuple(_TARGET.validate_python(given) for given in self.target)
        except ValidationError as error:
            raise FormatError(f"a target of step {self.do!r} is not one, {first_fault(error)}.") from error
        return (*own, *(read_targets(context.folder / self.targets_file) if self.targets_file else ()))


class BalanceStep(_Targeted):
    """Bring the table to targets (`adjust`)."""

    do: Literal["balance"]
    method: Literal["kras", "least_squares"] = "kras"
    outputs: Literal["free", "kept"] = "free"
    rtol: float = 1e-7
    maxiter: int = 5_000

    def modules(self) -> tuple[str, ...]:
        """Return the quadratic program's solver, if it is to be used."""
        return ("clarabel",) if self.method == "least_squares" else ()

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the balanced table, with every target accounted for."""
        targets = self.targets(context)
        if not targets:
            raise FormatError("there is nothing to balance to: give [[step.target]] or targets_file.")
        found = adjust(
            self.given(table),
            targets,
            method=self.method,
            outputs=self.outputs,
            empty=self.empty,
            exchange_rates=context.exchange_rates,
            rtol=self.rtol,
            maxiter=self.maxiter,
            progress=context.progress,
        )
        fit = found.fit
        lines = [
            f"{fit.method}: {fit.iterations} rounds, largest residual {fit.residual:.1e}; STPE {fit.stpe:.3g} %, "
            f"{fit.sign_flips} sign flips; mean absolute change of L {found.change_of_inverse:.2e}"
        ]
        if other := [f"{t.name} ({t.year})" for t in targets if t.year not in (None, found.table.year)]:
            lines.append(f"targets of another year than the table's, {found.table.year}: {first_few(other, 12)}")
        frame = found.to_pandas()
        frame["year"] = [str(target.year or "") for target in targets]
        frame["deviation"] = (100 * frame["deviation"]).round(4)
        rows = frame.rename(columns={"deviation": "deviation, %"}).to_dict("records")
        return StepResult(found.table, (table_section("Balanced to targets", rows, self.rests_on, lines, 6),))


class CheckStep(_Targeted):
    """Hold the table against targets, and change nothing; a deviation above ``tolerance`` stops the recipe."""

    do: Literal["check"]
    tolerance: float = HIT

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table as it is, with what it says of every target."""
        found = self.given(table)
        system = System(found, context.exchange_rates)
        rows: list[dict[str, Cell]] = []
        missed: list[str] = []
        for target in self.targets(context):
            row = system.of(target)
            now = system.measured(target)
            off = now / row.value - 1 if row.value else float(now != 0)
            if abs(off) > max(self.tolerance, 1 - target.reliability):
                missed.append(f"{target.name}: {now:,.6g} for {row.value:,.6g}")
            rows.append(
                {
                    "target": target.name, "wanted": row.value, "table": now, "deviation, %": round(100 * off, 4),
                    "source": target.source,
                }
            )  # fmt: skip
        if missed:
            raise ConflictError(
                f"{len(missed)} targets are missed by more than {self.tolerance:.2%} or their reliability: "
                f"{first_few(missed)}. Balance to them first, or lower their reliability.",
                tuple(missed),
            )
        return StepResult(found, (table_section("Held against targets", rows, self.rests_on, digits=7),))


class CompareStep(Step):
    """Hold the table against published figures, each of the year nearest to the table's (`compare_published`).

    Attributes
    ----------
    used : figures the recipe was made with, which therefore say nothing of it.
    """

    do: Literal["compare"]
    used: tuple[str, ...] = ()

    def raw_files(self, context: Context) -> list[Path]:
        """Return the published figures."""
        del context
        return [shipped("tables", "published-comparisons.toml")]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table as it is, with published figures beside its own."""
        del context
        found = self.given(table)
        rows: list[dict[str, Cell]] = [
            {
                "figure": item.id, "used by the recipe": "yes" if item.id in self.used else "no",
                "quantity": item.quantity, "year": str(item.year), "published": item.published,
                "table": item.ours, "difference": item.difference, "source": item.source,
            }
            for item in compare_published(Leontief(found), years="nearest")
        ]  # fmt: skip
        return StepResult(
            found, (table_section("Published figures beside the table's own", rows, self.rests_on, digits=3),)
        )


class ProjectStep(Step):
    """Move the table to another year by margins in a CSV (`project`).

    Attributes
    ----------
    margins : long CSV beside the recipe: quantity (output, final_demand or the name of a primary input), region, sector
        or category, value; in the table's unit, every cell once. prices : the same with the quantity price_change.
    """

    do: Literal["project"]
    year: int
    margins: str
    prices: str | None = None
    method: Literal["ras", "gras", "kras", "least_squares", "cross_entropy"] = "gras"
    totals: Literal["check", "outputs", "final_demand"] = "check"

    def modules(self) -> tuple[str, ...]:
        """Return the quadratic program's solver, if it is to be used."""
        return ("clarabel",) if self.method == "least_squares" else ()

    def raw_files(self, context: Context) -> list[Path]:
        """Return the files of margins and prices."""
        return [context.folder / name for name in (self.margins, self.prices) if name is not None]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the projected table."""
        base = self.given(table)
        series = _series(context.folder / self.margins)
        grid = [(region, sector) for region in base.regions for sector in base.sectors]
        final = [(region, category) for region in base.final_regions for category in base.categories]
        wanted = {"output": grid, "final_demand": final} | dict.fromkeys(base.inputs, grid)
        values = {name: _filled(series, name, cells, self.margins) for name, cells in wanted.items()}
        change = None
        if self.prices is not None:
            change = _filled(_series(context.folder / self.prices), "price_change", grid, self.prices).to_numpy()
        margins = Margins(
            values["output"].to_numpy(),
            {name: values[name].to_numpy() for name in base.inputs},
            values["final_demand"].to_numpy(),
        )
        found = project(
            base, self.year, margins, method=self.method, price_change=change, totals=self.totals,
            progress=context.progress,
        )  # fmt: skip
        fit = found.fit
        line = f"{fit.method}: {fit.iterations} rounds, largest residual {fit.residual:.1e}, STPE {fit.stpe:.3g} %"
        return StepResult(found.table, (Section(f"Projected to {self.year}", self.rests_on, (line,)),))


def _series(path: Path) -> pd.Series:
    frame = read_remarked_csv(path)
    missing = [name for name in ("quantity", "region", "label", "value") if name not in frame]
    if missing:
        raise FormatError(f"{path} has no column {first_few(missing)}: margins have quantity, region, label and value.")
    index = ["quantity", "region", "label"]
    if frame.duplicated(index).any():
        raise FormatError(f"{path}: {first_few(frame[frame.duplicated(index)]['label'])} stand twice.")
    values = pd.to_numeric(frame["value"], errors="coerce")
    if values.isna().any():
        raise FormatError(f"{path}: line {values.index[values.isna()][0]} has no number.")
    return pd.Series(values.to_numpy(dtype=float), index=pd.MultiIndex.from_frame(frame[index]))


def _filled(series: pd.Series, name: str, cells: list[tuple[str, str]], where: str) -> pd.Series:
    keys = [(name, *cell) for cell in cells]
    missing = [key for key in keys if key not in series.index]
    if missing:
        raise FormatError(f"{where} lacks {first_few('/'.join(key) for key in missing)}: every cell is needed once.")
    return series.loc[keys]
