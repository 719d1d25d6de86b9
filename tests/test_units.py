import pint
import pytest

import nearshore_io as nio
from nearshore_io.units import money, registry


def in_table(amount: object, unit: str | None = None, **deflator: float) -> float:
    return money(
        amount,
        unit,
        table_unit="million USD",
        table_year=2011,
        deflator={int(year[1:]): value for year, value in deflator.items()},
        what="amount",
    )


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        ("610 million USD", None, 610.0),
        ("0.61 billion USD", None, 610.0),
        ("610e6 USD", None, 610.0),
        ("1,234.5 million USD", None, 1234.5),
        ("5 MUSD", None, 5.0),
        ("31 GUSD", None, 31_000.0),
        ("2 thousand million USD", None, 2000.0),
        (610, "million USD", 610.0),
        (0.61, "billion USD", 610.0),
        ("7 million USD_2011", None, 7.0),
    ],
)
def test_ways_to_write_an_amount(amount: object, unit: str | None, expected: float) -> None:
    assert in_table(amount, unit) == pytest.approx(expected, rel=1e-15)


def test_the_price_year_of_a_table_is_the_one_in_its_unit() -> None:
    facts = {"table_unit": "million USD_2015", "table_year": 2018, "what": "amount"}
    assert money("2 million USD_2015", None, deflator={}, **facts) == 2.0
    with pytest.raises(nio.UnitError, match=r"at prices of 2018, the table at prices of 2015: no deflator"):
        money("2 million USD_2018", None, deflator={}, **facts)
    assert money("2 million USD_2018", None, deflator={2015: 1.0, 2018: 2.0}, **facts) == 1.0


def test_a_pint_quantity_of_any_registry() -> None:
    theirs = pint.UnitRegistry(None)
    theirs.define("USD = [money]")
    theirs.define("million = 1e6")
    assert in_table(theirs.Quantity(610, "million USD")) == pytest.approx(610.0)
    assert in_table(registry().Quantity("3 billion USD")) == pytest.approx(3000.0)


def test_price_years_are_deflated() -> None:
    assert in_table("31 GUSD_2020", y2011=100.0, y2020=124.0) == pytest.approx(25_000.0)


@pytest.mark.parametrize(
    ("amount", "unit", "message"),
    [
        (610, None, "has no unit: write"),
        ("610", None, "write one number and its unit"),
        ("610 million", None, "not an amount of money"),
        ("$610 million", None, "write one number and its unit"),
        ("610 million EUR", None, "is in EUR, the table in million USD"),
        ("8000 persons", None, "not an amount of money"),
        ("610 milion USD", None, "cannot be read"),
        ("610 million USD per year", None, "cannot be read"),
        ("1,5 million USD", None, "thousands by commas or not at all"),
        ("-5 million USD", None, "is negative"),
        (-5, "million USD", "is negative"),
        (float("nan"), "million USD", "not a finite number"),
        (float("inf"), "million USD", "not a finite number"),
        ("nan million USD", None, "not a finite number"),
        ("31 GUSD_2020", None, "no deflator for"),
        (None, None, "give an amount with a unit"),
        (True, "million USD", "give an amount with a unit"),
        ("5 million USD", "million USD", "the unit once"),
        ("", None, "cannot be read"),
        ("1 500 million USD", None, "write one number and its unit"),
        ("610 000 000 USD", None, "write one number and its unit"),
        ("600–700 million USD", None, "write one number and its unit"),
        ("600-700 million USD", None, "write one number and its unit"),
        ("610 million USD * 0", None, "write one number and its unit"),
        ("5 million USD 2", None, "write one number and its unit"),
        ("million USD", None, "write one number and its unit"),
        ("__import__('os')", None, "write one number and its unit"),
        ("1/0 USD", None, "write one number and its unit"),
        ([1.0], "million USD", "one number"),
    ],
)
def test_an_amount_that_says_too_little_or_too_much(amount: object, unit: str | None, message: str) -> None:
    with pytest.raises(nio.UnitError, match=message):
        in_table(amount, unit)


def test_results_quantify(model: nio.Leontief) -> None:
    """pint-xarray reads the units stamped on results: 610 million USD come back as money."""
    import pint_xarray  # noqa: F401

    shock = nio.Scenario("a", shocks=[nio.FinalDemand("MEX", "c14", "610 million USD")])
    found = nio.run(model, shock)[["value_added", "jobs"]].pint.quantify(unit_registry=registry())
    total = found.value_added.sum().pint.to("billion USD")
    assert float(total.pint.magnitude) == pytest.approx(0.61)
    persons = found.jobs.sel(region="MEX").sum().pint.to("person")
    assert float(persons.pint.magnitude) > 1000
