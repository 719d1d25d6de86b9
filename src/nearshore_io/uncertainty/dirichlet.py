"""Coefficients as shares of a column: what an industry needs, and where each product comes from, each a Dirichlet."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nearshore_io.errors import FormatError
from nearshore_io.products import inputs_by_product
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable
from nearshore_io.uncertainty.redrawn import Draw, with_coefficients
from nearshore_io.uncertainty.spreads import require_spreads, spreads
from nearshore_io.units import is_number

WIDEST = 1.0
"""Smallest concentration: two halves then have a relative standard deviation of 0.7; grades may ask for more."""


@dataclass(frozen=True)
class Shares:
    """Columns of payments split in two steps, recipe r_p and origins θ_kp, each a Dirichlet of its own.

    A column of n cells and q primary inputs is S (r_1 θ_·1, …, r_P θ_·P, r_v, …): P products, of each several origins.
    Cells below zero are taken as known and stand outside.

    Attributes
    ----------
    cells : the positive part of the columns, shape (n, c). primary : of the primary inputs, shape (q, c).
    products : Σ_k of the cells by product, shape (P, c).
    recipe : κ of the recipes, shape (c,). origins : κ of the origins of each product, shape (P, c); infinite where
        there is nothing to draw.
    """

    cells: Array
    primary: Array
    products: Array
    recipe: Array
    origins: Array

    @property
    def total(self) -> Array:
        """S, what is shared out in each column, shape (c,)."""
        return np.asarray(self.products.sum(axis=0) + self.primary.sum(axis=0))

    def variance(self, sums: Array, squares: Array, primary: Array) -> Array:
        """Return the variance of Σ g_k cell_k + Σ h_i primary_i by column, to first order, shape (c,).

        With shares m and Dirichlet variance m (1 − m)/(κ + 1), the covariance −m m'/(κ + 1),

            Var = 1/(κ_r + 1) [S Σ_p r_p ḡ_p² + S Σ_i r_i h_i² − (Σ_p S1_p + Σ_i h_i primary_i)²]
                  + Σ_p 1/(κ_p + 1) [P_p S2_p − S1_p²],

        ḡ_p = S1_p/P_p the mean weight of product p, P_p its total.

        Parameters
        ----------
        sums, squares : S1 = Σ_k∈p cell_k g_k and S2 = Σ_k∈p cell_k g_k², shape (P, c).
        primary : h, shape (q, c).
        """
        mean = np.divide(sums**2, self.products, out=np.zeros_like(sums), where=self.products > 0)
        paid = self.primary * primary
        between = self.total * (mean.sum(axis=0) + (paid * primary).sum(axis=0))
        between -= (sums.sum(axis=0) + paid.sum(axis=0)) ** 2
        within = np.maximum(self.products * squares - sums**2, 0.0) / (self.origins + 1.0)
        return np.asarray(np.maximum(between, 0.0) / (self.recipe + 1.0) + within.sum(axis=0))

    def drawn(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return columns drawn anew: cells (n, c) and primary inputs (q, c), with the same totals."""
        P, total = len(self.products), self.total
        recipe = np.vstack([self.products, self.primary])
        mean = np.divide(recipe, total, out=np.zeros_like(recipe), where=total > 0)
        weights = _gamma(rng, mean, self.recipe)
        sums = weights.sum(axis=0)
        paid = np.divide(weights * total, sums, out=np.zeros_like(weights), where=sums > 0)
        regions = len(self.cells) // P
        bought = np.tile(self.products, (regions, 1))
        share = np.divide(self.cells, bought, out=np.zeros_like(self.cells), where=bought > 0)
        parts = _gamma(rng, share, np.tile(self.origins, (regions, 1)))
        sums = np.tile(inputs_by_product(parts, P), (regions, 1))
        cells = np.divide(parts * np.tile(paid[:P], (regions, 1)), sums, out=np.zeros_like(parts), where=sums > 0)
        return cells, paid[P:]


def _gamma(rng: np.random.Generator, mean: Array, concentration: Array) -> Array:
    """Return gamma numbers of shape κ m, which divided by their sum are a Dirichlet; the means where κ is infinite.

    Never zero where the mean is not: a share that underflows is the smallest number there is.
    """
    drawn = rng.standard_gamma(mean * np.where(np.isfinite(concentration), concentration, 0.0))
    drawn = np.where(mean > 0, np.maximum(drawn, np.finfo(np.float64).tiny), 0.0)
    return np.where(np.isfinite(concentration), drawn, mean)


@dataclass(frozen=True)
class DirichletErrors:
    """Input columns drawn as shares that sum to one: what is needed by a Dirichlet, where it comes from by another.

    For column j with product recipe r and origins θ_p of each product, (r, v, τ) ~ Dir(κ_j ·) and θ_p ~ Dir(κ_pj ·), so
    that 1ᵀA + v + τ = 1 and A ≥ 0 in every draw. The concentrations follow from relative standard deviations σ of
    cells by equal total variance,

        κ_pj + 1 = Σ_k θ_k (1 − θ_k) / Σ_k (θ_k σ_kj)²,    κ_j + 1 = Σ_p r_p (1 − r_p) / Σ_p (r_p s_p)²,

    where s_p is the smallest σ among the origins of product p: what is bought of a product is known as well as its
    best-known source, who sells it is not; of primary inputs, the smallest in the column. A concentration is never
    below 1. Cells below zero are taken as known. Columns are independent, and so are final users' baskets.

    Parameters
    ----------
    home, across : σ of cells within a country and between two, both or neither; by default the table's grades.
    recipe, origins : κ itself in the place of σ, one number for all recipes and all origins.

    Dirichlet columns keep 1ᵀA + v + τ = 1. The rule that turns σ into κ is ours.
    """

    home: float | None = None
    across: float | None = None
    recipe: float | None = None
    origins: float | None = None
    kind: ClassVar[str] = "dirichlet"

    def __post_init__(self) -> None:
        require_spreads(self.home, self.across)
        given = [value for value in (self.recipe, self.origins) if value is not None]
        if len(given) == 1 or not all(is_number(value) and value > 0 for value in given):
            raise FormatError(
                f"Dirichlet errors: recipe and origins are concentrations above zero, both or neither, not "
                f"{self.recipe!r} and {self.origins!r}."
            )
        if given and self.home is not None:
            raise FormatError("Dirichlet errors: give standard deviations (home, across) or concentrations, not both.")

    @property
    def described(self) -> dict[str, Any]:
        """What reproduces them, as JSON has it."""
        return {"errors": self.kind, **vars(self)}

    def columns(self, table: IOTable) -> Shares:
        """Return the input columns of industries. Raises `LabelError` without spreads."""
        return self._shares(table, dense(table.A), self._primary(table), None)

    def baskets(self, table: IOTable) -> Shares:
        """Return the columns of final users."""
        owner = np.array([table.country[region] for region in table.regions])
        sellers = np.repeat(owner, len(table.sectors))
        buyers = np.repeat(table.final_regions, len(table.categories))
        at = {country: int(np.flatnonzero(owner == country)[-1]) * len(table.sectors) for country in table.countries}
        like = None
        if self.recipe is None and self.home is None:
            like = spreads(table, None, None)[:, [at[str(buyer)] for buyer in buyers]]
        elif self.home is not None and self.across is not None:
            like = np.where(sellers[:, None] == buyers[None, :], self.home, self.across)
        return self._shares(table, table.y, np.zeros((0, table.y.shape[1])), like)

    def around(self, table: IOTable) -> Draw:
        """Return what draws tables around one, by seed and number: coefficients, final baskets, and their outputs.

        Outputs follow from the rest, x = (I − A)⁻¹ y.

        Raises
        ------
        LabelError
            Without spreads, as `columns`.
        """
        columns, baskets = self.columns(table), self.baskets(table)
        below = np.minimum(dense(table.A), 0.0), np.minimum(table.y, 0.0), np.minimum(self._primary(table), 0.0)

        def draw(seed: int, number: int) -> IOTable:
            rng = np.random.default_rng([seed, number])
            cells, primary = columns.drawn(rng)
            bought, _ = baskets.drawn(rng)
            paid = dict(zip(table.inputs, primary + below[2], strict=True))
            note = f"coefficients drawn: {self.kind}, seed {seed}, draw {number}"
            return with_coefficients(table, cells + below[0], bought + below[1], paid, note)

        return draw

    def _primary(self, table: IOTable) -> Array:
        """Return the primary inputs per unit of output, shape (q, n)."""
        return np.array([table.per_output(values) for values in table.inputs.values()]).reshape(-1, table.n)

    def _shares(self, table: IOTable, columns: Array, primary: Array, sigma: Array | None) -> Shares:
        width = len(table.sectors)
        cells, paid = np.maximum(columns, 0.0), np.maximum(primary, 0.0)
        products = inputs_by_product(cells, width)
        if self.recipe is not None and self.origins is not None:
            recipe, origins = np.full(cells.shape[1], self.recipe), np.full(products.shape, self.origins)
            return Shares(cells, paid, products, recipe, origins)
        sigma = spreads(table, self.home, self.across) if sigma is None else sigma
        return Shares(
            cells,
            paid,
            products,
            _recipe_concentration(cells, paid, products, sigma),
            _origin_concentration(cells, products, sigma),
        )


def _origin_concentration(cells: Array, products: Array, sigma: Array) -> Array:
    """Return κ of the origins of each product, shape (P, c); infinite for a product of one origin."""
    width = len(products)
    squares = inputs_by_product(cells**2, width)
    off = inputs_by_product((cells * sigma) ** 2, width)
    spread = np.divide(products**2 - squares, off, out=np.full_like(products, np.inf), where=off > 0)
    several = products**2 - squares > 1e-12 * products**2
    return np.where(several, np.maximum(spread - 1.0, WIDEST), np.inf)


def _recipe_concentration(cells: Array, primary: Array, products: Array, sigma: Array) -> Array:
    """Return κ of the recipe of each column, shape (c,); infinite for a column of one payment."""
    width = len(products)
    sold = np.where(cells > 0, sigma, np.inf).reshape(-1, width, cells.shape[1])
    best = sold.min(axis=0)
    least = np.where(np.isfinite(best.min(axis=0)), best.min(axis=0), 1.0)
    parts = np.vstack([products, primary])
    known = np.vstack([np.where(np.isfinite(best), best, 0.0), np.tile(least, (len(primary), 1))])
    total = parts.sum(axis=0)
    off = ((parts * known) ** 2).sum(axis=0)
    spread = np.divide(total**2 - (parts**2).sum(axis=0), off, out=np.full(len(total), np.inf), where=off > 0)
    several = total**2 - (parts**2).sum(axis=0) > 1e-12 * total**2
    return np.where(several, np.maximum(spread - 1.0, WIDEST), np.inf)
