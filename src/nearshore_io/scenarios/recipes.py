"""Recipes of industries that do not stand in the table: what they need, and where they buy it."""

import numpy as np

from nearshore_io.errors import ShockError, first_few
from nearshore_io.labels import Positions
from nearshore_io.products import Sourcing
from nearshore_io.solvers.base import Array, dense
from nearshore_io.table import IOTable


def average_column(table: IOTable, industries: Positions) -> Array:
    """Return the joint input coefficients of industries, weighted by their outputs, shape (n,)."""
    x = np.maximum(table.x.values.ravel()[industries], 0.0)
    if not x.sum() > 0:
        raise ShockError(f"{table.industry_names(industries)} has no output in the table, hence no recipe.")
    return np.asarray(dense(table.A[:, industries]) @ (x / x.sum()))


def host_sourcing(table: IOTable, host: int, products: Array, what: str) -> Array:
    """Return where an industry buys each product, θ, shape (n,); for what it does not buy, where its region buys it.

    Parameters
    ----------
    host : position of the industry.
    products : amounts needed by product, shape (width,); only those above zero have to have a supplier.

    Raises
    ------
    ShockError
        If its region buys none of a product that is needed.
    """
    width = len(table.sectors)
    own = Sourcing.of(dense(table.A[:, [host]])[:, 0], width)
    missing = np.flatnonzero((products > 0) & (own.recipe <= 0))
    if not missing.size:
        return own.shares
    start = host - host % width
    region = Sourcing.of(dense(table.Z[:, start : start + width]).sum(axis=1), width)
    lacking = [table.sectors[p] for p in missing if region.recipe[p] <= 0]
    if lacking:
        raise ShockError(
            f"{what}: {table.regions[host // width]} buys no {first_few(lacking)}, so a localised plant has no "
            "supplier of it. Lower the localisation, or leave the product out."
        )
    shares = own.shares.copy()
    for p in missing:
        shares[p::width] = region.shares[p::width]
    return shares


def blended(recipe: Array, local: Array, foreign: Array, localisation: float) -> Array:
    """Return a = [λ θ^host + (1 − λ) θ^origin] ∘ Aᵀ, shape (n,), for a recipe by product, shape (width,)."""
    repeated = np.tile(recipe, len(local) // len(recipe))
    return np.asarray((localisation * local + (1.0 - localisation) * foreign) * repeated)


def own_intensities(table: IOTable, column: Array, host: int, what: str) -> dict[str, float]:
    """Return inputs and stressors per unit of output of a plant with this column of inputs, standing in an industry.

    Taxes and stressors are the industry's; value added is what is left, v = 1 − 1ᵀa − τ.

    Raises
    ------
    ShockError
        If the recipe uses more than it makes.
    """
    found = {name: float(table.intensity(name)[host]) for name in (*table.inputs, *table.stressors)}
    others = sum(found[name] for name in table.inputs if name != "value_added")
    left = 1.0 - float(column.sum()) - others
    if left < 0:
        raise ShockError(
            f"{what}: the recipe uses {1.0 - left:.3f} of inputs and taxes for each unit it makes; it must stay "
            "below one."
        )
    return found | {"value_added": left}
