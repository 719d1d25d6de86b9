"""Units: amounts on the way in, stamps on the way out. pint works at this door only, never inside the solvers."""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import xarray as xr

from nearshore_io.errors import UnitError, first_few

if TYPE_CHECKING:
    import pint

Amount = Any
"""What users write for money: ``"610 million USD"``, a number together with ``unit=``, or a pint quantity."""

_CURRENCY = re.compile(r"[kMG]?([A-Z]{3})(?:_(\d{4}))?$")
_AMOUNT = re.compile(
    r"(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+|nan|[+-]?inf)"
    r"\s*(?P<unit>[A-Za-z]+(?:_\d{4})?(?:\s+[A-Za-z]+(?:_\d{4})?)*)"
)


@cache
def registry() -> "pint.UnitRegistry[Any]":
    """Return the package's unit registry: words of scale, persons, hours; currencies are defined as they are met.

    Pass it to ``dataset.pint.quantify(unit_registry=nearshore_io.units.registry())`` to compute with units.
    It starts empty, not from pint's defaults, in which "M" and "USD" mean other things.
    """
    import pint  # 0.1 s of import that only amounts written as text need

    units: pint.UnitRegistry[Any] = pint.UnitRegistry(None, force_ndarray_like=True)
    for definition in (
        "kilo- = 1e3 = k-",
        "mega- = 1e6 = M-",
        "giga- = 1e9 = G-",
        "thousand = 1e3",
        "million = 1e6",
        "billion = 1e9",
        "trillion = 1e12",
        "person = [person] = _ = persons",
        "hour = [time] = _ = hours",
        "USD = [currency_USD]",
    ):
        units.define(definition)
    return units


def _define_currency(name: str) -> None:
    """Teach the registry a currency, such as "EUR" or "USD_2020", each a dimension of its own."""
    if name not in registry():
        registry().define(f"{name} = [currency_{name}]")


def money(
    amount: Amount,
    unit: str | None,
    *,
    table_unit: str,
    table_year: int | None,
    deflator: Mapping[int, float],
    what: str,
    exchange_rates: Mapping[str, float] | None = None,
) -> float:
    """Return an amount in the table's unit, at the table's prices.

    An amount with a price year, ``"31 GUSD_2020"``, is multiplied by deflator[table year] / deflator[price year].
    One without is taken to be at the table's own prices.

    Parameters
    ----------
    amount : text with a unit, a number together with ``unit``, or a pint quantity.
    table_unit : such as "million USD".
    deflator : price index by year, any base.
    what : how errors name the amount, such as "FDI amount".
    exchange_rates : units of other currencies that one unit of the table's currency buys, such as {"MXN": 20.1}.

    Raises
    ------
    UnitError
        No unit, another currency without a rate, a price year without deflator, a negative amount, not a number.
    """
    value, factors = _parse(amount, unit, what)
    target_value, target_factors = _parse(f"1 {table_unit}", None, "table unit")
    currency, year = _currency_of(factors, f"{what} {_shown(amount, unit)}")
    table_currency, price_year = _currency_of(target_factors, "table unit")
    rate = 1.0 if currency == table_currency else (exchange_rates or {}).get(currency)
    if rate is None:
        raise UnitError(
            f"{what} {_shown(amount, unit)} is in {currency}, the table in {table_unit}: "
            f"convert it at the exchange rate of the table's year{f' ({table_year})' if table_year else ''} first"
            ", or, for a target, give that rate under exchange_rates."
        )
    if not (np.isfinite(rate) and rate > 0):
        raise UnitError(f"the exchange rate of {currency} is {rate!r}: a positive number is needed.")
    if value < 0:
        raise UnitError(
            f"{what} {_shown(amount, unit)} is negative: give a positive amount and say which way it goes "
            '(`direction="decrease"` of FinalDemand).'
        )
    return (
        value
        / rate
        / target_value
        * _price_factor(year, price_year or table_year, deflator, f"{what} {_shown(amount, unit)}")
    )


def _shown(amount: Amount, unit: str | None) -> str:
    return repr(amount) if unit is None else f"{amount!r} {unit}"


def _parse(amount: Amount, unit: str | None, what: str) -> tuple[float, dict[str, Any]]:
    """Return the amount in single currency units, with its units by name."""
    if isinstance(amount, bool) or amount is None:
        raise UnitError(f'{what} is {amount!r}: give an amount with a unit, such as "610 million USD".')
    if isinstance(amount, str) and unit is None:
        return _parse_text(amount, what)
    if is_number(amount):
        if unit is None:
            raise UnitError(
                f'{what} {amount!r} has no unit: write "{amount} million USD", or give `unit="million USD"` beside it.'
            )
        return _parse_text(f"{float(amount)!r} {unit}", what)
    if hasattr(amount, "magnitude") and hasattr(amount, "units") and unit is None and np.ndim(amount.magnitude) == 0:
        return _parse_text(f"{float(amount.magnitude)!r} {str(amount.units).replace('*', ' ')}", what)
    raise UnitError(f"{what} {_shown(amount, unit)} cannot be read: give one number, and the unit once.")


def _parse_text(text: str, what: str) -> tuple[float, dict[str, Any]]:
    """Return one number and one unit. Anything else (a range, a space between thousands) is refused, not evaluated."""
    import pint

    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise UnitError(
            f'{what} {text!r} cannot be read: write one number and its unit, like "610 million USD" or '
            '"1,500.5 million USD" (thousands by commas or not at all, decimals by a point).'
        )
    value = float(match["number"].replace(",", ""))
    if not np.isfinite(value):
        raise UnitError(f"{what} {text!r} is not a finite number.")
    for token in match["unit"].split():
        if currency := _CURRENCY.match(token):
            _define_currency(currency[1] if currency[2] is None else f"{currency[1]}_{currency[2]}")
    try:
        quantity: Any = registry().Quantity(value, match["unit"]).to_base_units()
    except pint.errors.PintError as error:
        raise UnitError(f'{what} {text!r} cannot be read ({error}): write it like "610 million USD".') from error
    return float(quantity.magnitude), {str(name): power for name, power in quantity.unit_items()}


def _currency_of(factors: Mapping[str, Any], what: str) -> tuple[str, int | None]:
    if len(factors) != 1 or next(iter(factors.values())) != 1 or not (match := _CURRENCY.match(next(iter(factors)))):
        found = " * ".join(factors) or "a plain number"
        raise UnitError(f'{what} is not an amount of money (it is {found}): write it like "610 million USD".')
    return match[1], int(match[2]) if match[2] else None


def _price_factor(year: int | None, table_year: int | None, deflator: Mapping[int, float], what: str) -> float:
    if year is None or year == table_year:
        return 1.0
    if table_year is None:
        raise UnitError(f"{what} is at prices of {year}, and the table does not say its year: give it one.")
    missing = [y for y in (year, table_year) if y not in deflator]
    if missing:
        raise UnitError(
            f"{what} is at prices of {year}, the table at prices of {table_year}: no deflator for {missing}. "
            f"Give the scenario a price index by year, deflator = {{{table_year} = …, {year} = …}} in a file, or the "
            'shipped one, deflator = "us-gdp" (1995 to 2023).'
        )
    if not all(np.isfinite(deflator[y]) and deflator[y] > 0 for y in (year, table_year)):
        raise UnitError(f"the deflator for {year} and {table_year} must be positive numbers.")
    return float(deflator[table_year] / deflator[year])


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a plain number, of Python or numpy; True and False are none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


COUNTS = {
    f"{prefix}{what}": size
    for what in ("persons", "hours")
    for prefix, size in (("", 1.0), ("thousand ", 1e3), ("million ", 1e6))
}
"""Units of jobs and hours, and how many of them each is."""


def single(unit: str) -> float:
    """Return how many persons (or hours) a unit is. Raises `UnitError` for a unit of something else."""
    if unit not in COUNTS:
        raise UnitError(
            f"jobs and hours are counted in {first_few(COUNTS, 6)}, not in {unit!r}: give the stressor that unit."
        )
    return COUNTS[unit]


def stamp(array: xr.DataArray, units: str, long_name: str, **attrs: Any) -> xr.DataArray:
    """Return the array with exactly these attributes.

    xarray carries attributes through arithmetic since 2025.11, so whatever a result inherited is replaced here.
    """
    array.attrs = {"units": units, "long_name": long_name, **attrs}
    return array
