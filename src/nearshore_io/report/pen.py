"""What every section of a scenario writes with: its findings, its words, and names of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nearshore_io.report.document import Number
from nearshore_io.report.findings import Findings
from nearshore_io.report.said import number, phrase
from nearshore_io.report.studied import Study
from nearshore_io.rounding import worded
from nearshore_io.table import IOTable
from nearshore_io.words import Words


@dataclass(frozen=True)
class Pen:
    """One scenario in one language; the prefix keeps names of tables and figures apart."""

    found: Findings
    study: Study
    words: Words
    prefix: str

    @property
    def year(self) -> str:
        """The year of the table, in words where it has none."""
        return str(self.table.year) if self.table.year else self.say("unknown_year")

    @property
    def table(self) -> IOTable:
        """The table the scenario is run on."""
        return self.study.model.table

    def worded(self, value: Any) -> str:
        """Return a value of an assumption for people."""
        return worded(value, self.say("and"))

    def say(self, key: str, **values: object) -> str:
        """Return a sentence of the report."""
        return self.words.say(f"report.{key}", **values)

    def phrase(self, text: str) -> str:
        """Return a phrase that results carry, marked where it stays English."""
        return phrase(self.words, text)

    def number(self, value: float, digits: int = 2, *, signed: bool = True) -> Number:
        """Return a number of two significant digits."""
        return number(self.words, value, digits, signed=signed)

    def name(self, what: str) -> str:
        """Return a name of a table or figure that no other scenario has."""
        return f"{self.prefix}-{what}"

    def column(self, name: str, phase: str) -> str:
        """Return the heading of a variable with its unit: jobs are job-years where a phase happens once."""
        words = self.say(f"variables.{name}")
        if name == "jobs":
            return f"{words} ({self.say('job_years' if phase != 'run' else 'persons')})"
        return f"{words} ({self.phrase(self.table.unit)})"

    def clock(self, phase: str) -> str:
        """Return how often a phase happens."""
        impact = self.study.impact
        return self.phrase(str(impact["clock"].sel(phase=phase).item()))

    def nothing(self, variable: str, phase: str) -> bool:
        """Tell whether a variable does not change anywhere."""
        values = self.study.impact[variable].sel(phase=phase)
        return not float(np.nansum(np.abs(values.values))) > 0

    def cents(self, value: float) -> Number:
        """Return cents with two decimals."""
        return Number(self.say("no_data") if np.isnan(value) else f"{value:.2f}".replace("-", "−"), value)
