"""Steps that say how far a table can be trusted."""

from pathlib import Path
from typing import Any, Literal

from nearshore_io.calibration.holdout import KEPT, hold_out
from nearshore_io.calibration.sections import Cell, Section, table_section
from nearshore_io.calibration.steps.base import Context, Step, StepResult
from nearshore_io.calibration.steps.shape import concordance_file
from nearshore_io.concordance import aggregate
from nearshore_io.errors import FormatError
from nearshore_io.grades import LETTERS, Grade, graded
from nearshore_io.readers.wiod import read_wiod
from nearshore_io.table import IOTable


class GradeStep(Step):
    """Grade cells by reliability: rules, later ones overruling earlier ones (`Grade`)."""

    do: Literal["grade"]
    rule: tuple[dict[str, Any], ...]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the graded table."""
        del context
        try:
            grades = [Grade(**rule) for rule in self.rule]
        except TypeError as error:
            raise FormatError(f"a rule of step 'grade' is not one: {error}.") from error
        found = graded(self.given(table), grades)
        rows: list[dict[str, Cell]] = [
            {"grade": g.grade, "cells": _words(g), "relative standard deviation": g.spread, "rests on": g.basis}
            for g in grades
        ]
        lines = (
            f"Grades: {', '.join(LETTERS)}, from published cells to assumptions; later rules overrule earlier ones.",
        )
        return StepResult(found, (table_section("What every block rests on", rows, self.rests_on, lines),))


def _words(grade: Grade) -> str:
    named = {"from": grade.region, "products": grade.sector, "to": grade.to_region, "buyers": grade.to_sector}
    said = [
        f"{key} {value if isinstance(value, str) else ', '.join(value)}"
        for key, value in named.items()
        if value is not None
    ]
    side = {None: "", True: "between countries", False: "within a country"}[grade.across]
    return ", ".join(part for part in ("flows", side, *said) if part)


class EstimateStep(Step):
    """Mark the table as an estimate, with a band: errors of the same kind of method held against later tables.

    Attributes
    ----------
    note : what the table says of itself. base, truth : WIOD tables of two years. regions : their concordance.
    method : whose errors the band is. base and truth lie as far apart as the table and its structure.
    """

    do: Literal["estimate"]
    note: str
    base: str
    truth: str
    regions: str
    methods: tuple[str, ...]
    method: str

    def modules(self) -> tuple[str, ...]:
        """Return the quadratic program's solver, if it is to be used."""
        return ("clarabel",) if "least_squares" in self.methods else ()

    def raw_files(self, context: Context) -> list[Path]:
        """Return both tables."""
        return [context.raw / self.base, context.raw / self.truth, concordance_file(self.regions, context)]

    def apply(self, table: IOTable | None, context: Context) -> StepResult:
        """Return the table with its note and band."""
        found = self.given(table)
        before, after = (
            aggregate(read_wiod(context.raw / name, accounts=None), regions=concordance_file(self.regions, context))
            for name in (self.base, self.truth)
        )
        errors = hold_out(before, after, self.methods)
        if self.method not in errors.index:
            raise FormatError(
                f"estimate: method {self.method!r} is not among those held out: {', '.join(errors.index)}."
            )
        own = errors.loc[self.method]
        band = {
            "multipliers": round(float(own["multipliers_90"]), 1),
            "content": round(float(own["content_90"]), 1),
            "years": f"{before.year} to {after.year}",
            "method": self.method,
        }
        result = found.with_numbers(meta=found.noted("marked as an estimate", estimate=self.note, estimate_band=band))
        rows = [{"method": name, **values} for name, values in errors.to_dict("index").items()]
        lines = (
            self.note,
            f"Hold-out: the table of {before.year} was moved to {after.year} by that year's margins "
            "(MR-GRAS: and trade between countries) and held "
            f"against the published table of {after.year}. '{KEPT}' is the forecast to beat.",
            f"The band results carry is that of {self.method}: nine of ten multipliers were within "
            f"{band['multipliers']:g} % of the truth, nine of ten foreign contents of a cent or more within "
            f"{band['content']:g} %.",
        )
        return StepResult(
            result, (Section("Estimate", self.rests_on, lines), table_section("Hold-out errors", rows, digits=3))
        )
