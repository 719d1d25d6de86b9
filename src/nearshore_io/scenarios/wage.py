"""Wages that rise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from nearshore_io.errors import ShockError, first_few
from nearshore_io.scenarios.base import Phase, require_choice, require_labels, require_rate
from nearshore_io.scenarios.change import Change, Fact
from nearshore_io.solvers.base import Array
from nearshore_io.table import IOTable


@dataclass(frozen=True)
class Wage:
    """Wages rise by γ in some industries; output stays, and somebody pays.

        Δw_j = γ w_j,   Δp = Δw L (paid by "price"),   or Δ profit = −Δw (paid by "profit").

    Passed on, value added rises by what is paid more, and everybody who buys from these industries, anywhere in the
    chain, pays it. Out of profits, value added stays and its parts change. In a model closed for households the extra
    income is spent (after tax, saving and remittances): that is the induced effect.

    Parameters
    ----------
    region, sector : whose wages.
    rise : γ, such as 0.10; above -1.
    paid_by : "price" or "profit".
    income : stressor that holds labour income; by default ``labour_income`` where there is one, else ``compensation``.

    Raises
    ------
    ShockError
        No labour income in the table; profits that cannot pay for it.

    Source: Leontief price model, Miller & Blair (2009), section 2.6.3.
    """

    region: str | Sequence[str]
    rise: float
    sector: str | Sequence[str] | None = None
    paid_by: Literal["price", "profit"] = "price"
    income: str | None = None

    kind: ClassVar[str] = "wage"
    basis: ClassVar[str] = "gross in nominal terms: what is earned more is paid by customers or out of profits"

    def __post_init__(self) -> None:
        require_labels("wage", region=self.region)
        require_choice(self.paid_by, ("price", "profit"), "wage paid_by")
        require_rate(self.rise, "wage rise")

    def changes(self, table: IOTable, deflator: Mapping[int, float]) -> dict[Phase, Change]:
        """Return the change of prices or of profits, and of labour income, in the run phase."""
        del deflator  # a rate has no price year
        names = [self.income] if self.income is not None else ["labour_income", "compensation"]
        found = [name for name in names if name in table.stressors]
        if not found:
            raise ShockError(
                f"wage: {table.name} has no {first_few(names)}; its stressors are "
                f"{first_few(table.stressors, 10) or 'none'}. Name the one that holds labour income: income=..."
            )
        at = table.positions(self.region, self.sector)
        wages = table.intensity(found[0])
        if np.isnan(wages[at]).any():
            unknown = at[np.isnan(wages[at])]
            raise ShockError(f"wage: {found[0]} of {table.industry_names(unknown)} is unknown.")
        more = np.zeros(table.n)
        more[at] = self.rise * wages[at]
        x = table.x.values.ravel()
        if self.paid_by == "profit":
            short = np.flatnonzero((more > 0) & (table.intensity("value_added") - wages - more < 0))
            if short.size:
                raise ShockError(
                    f"wage: {table.industry_names(short)} has less left after wages than the rise would take. "
                    'Take a smaller rise, or paid_by="price".'
                )
        both = found[:1] if self.income is not None else found
        intensities: dict[str, Array] = {}
        for name in both:
            intensities[name] = np.zeros(table.n)
            intensities[name][at] = self.rise * table.intensity(name)[at]
        charge = {"charge": more} if self.paid_by == "price" else {}
        if self.paid_by == "price":
            intensities["value_added"] = more
        bill = Fact(float(more @ x), table.unit)
        parts = {"intensities": intensities, "facts": {"wage bill rises by": bill}, **charge}
        return {"run": Change.of(table, **parts)}
