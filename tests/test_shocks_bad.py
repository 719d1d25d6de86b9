"""Impossible shocks: one clear error each, that says what, where and what to do."""

from pathlib import Path

import pytest

import nearshore_io as nio


def run(model: nio.Leontief, *shocks: object) -> object:
    return nio.run(model, nio.Scenario("a", shocks=list(shocks)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: nio.Tariff("USA", "MEX", -1.0),
            r"tariff rate must be above -1 \(-100 %\) and at most 5 \(500 %\), not -1.0",
        ),
        (lambda: nio.Tariff("USA", "MEX", "25 %"), "tariff rate must be above -1"),
        (lambda: nio.Tariff("USA", "MEX", 0.1, elasticity=1.0), "elasticity of 1 exactly is Cobb-Douglas"),
        (lambda: nio.TradeCost([("USA", "MEX")], -0.01, elasticity=1), "elasticity of 1 exactly is Cobb-Douglas"),
        (lambda: nio.Tariff("USA", "MEX", 0.1, elasticity=-2.0), "a number of zero or more, not -2.0"),
        (lambda: nio.Tariff("USA", "MEX", 0.1, pass_through=1.2), "pass_through must be a share between 0 and 1"),
        (lambda: nio.TradeCost([("USA", "MEX")], -1.5), "trade cost rate must be above -1"),
        (lambda: nio.TradeCost("USA", 0.1), "pairs must be pairs of countries"),
        (lambda: nio.Extraction([("USA", "USA")]), "a country and itself are no pair"),
        (lambda: nio.Extraction([("USA",)]), "pairs must be pairs of countries"),
        (lambda: nio.Extraction([("USA", "MEX")], share=1.5), "extraction share must be a share"),
        (lambda: nio.Extraction([("USA", "MEX")], relative_cost=1.1), "needs resourced = true"),
        (lambda: nio.Extraction([("USA", "MEX")], days=0), "extraction days must be a positive number"),
        (lambda: nio.Inventories([("USA", "MEX")], days=2.5), "days must be a whole number of days"),
        (lambda: nio.Inventories([("USA", "MEX")], days=9, horizon=5), "horizon of 5 days ends before the 9 days"),
        (lambda: nio.Inventories([("USA", "MEX")], days=9, stock=1.0), "under a day of use"),
        (lambda: nio.Inventories([("USA", "MEX")], days=9, overcapacity=0.9), "overcapacity is one or more"),
        (lambda: nio.Capacity("MEX", "c14"), "give one of cut, headroom and level, not none"),
        (lambda: nio.Capacity("MEX", "c14", cut=0.1, headroom=0.1), "not cut and headroom"),
        (lambda: nio.Capacity("MEX", "c14", cut=1.4), "capacity cut must be a share between 0 and 1"),
        (lambda: nio.Capacity("MEX", "c14", headroom=-0.1), "headroom must be a share of zero or more"),
        (
            lambda: nio.Capacity("MEX", "c14", cut=0.1, rule="naive"),
            "rule must be one of 'optimum', 'rationing', 'scale'",
        ),
        (lambda: nio.Capacity("MEX", resource="jobs", cut=0.1, rule="rationing"), "use the optimum for resources"),
        (lambda: nio.Capacity("MEX", cut=0.1, per_output={"c14": 1.0}), "name the resource"),
        (lambda: nio.Technology("MEX", "c15", localisation=0.5), "needs the products that are localised"),
        (lambda: nio.Technology("MEX", "c15", origins={"c14": {"CHN": 1.0}}), "nothing is added of c14"),
        (
            lambda: nio.Technology("MEX", "c15", inputs={"c14": 0.1}, origins={"c14": {"CHN": 0.6}}),
            "sum to 0.6, not to one",
        ),
        (lambda: nio.Plant("MEX", "c14"), "give its output, its jobs, or its capex"),
        (lambda: nio.Plant("MEX", "c14", jobs=-5), "plant jobs must be a positive number"),
        (lambda: nio.Plant("MEX", "c14", jobs=5, output="1 MUSD"), "not both"),
        (lambda: nio.Plant("MEX", "c14", jobs=5, buyers="USA"), "name replaces too"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA"), "elasticity .needed without a share"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", elasticity=1.0, price_change=-0.1), "Cobb-Douglas"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", 0.1, elasticity=4.0), "not both"),
        (
            lambda: nio.Relocation("c14", "CHN", "MEX", "USA", {"c14": {"USA": 1.4}}),
            "share of c14 to USA must be a share",
        ),
        (lambda: nio.Relocation("c14", "CHN", {"MEX": 0.4}, "USA", 0.1), "destination: the shares sum to 0.4"),
        (lambda: nio.Relocation("c14", "CHN", "MEX", "USA", 0.1, cost_paid_by="China"), "must be one of 'profit'"),
        (lambda: nio.FinalDemand("MEX", "c14"), "give an amount, or the share"),
        (lambda: nio.FinalDemand("MEX", "c14", "1 MUSD", share=0.1), "one of the two"),
        (lambda: nio.FinalDemand("MEX", "c14", "1 MUSD", direction="decrease", displaces="CHN"), "displaces nothing"),
        (lambda: nio.FDI("MEX", "c14", "1 MUSD", components={"new": 1.0}), "components and capitalised go together"),
        (
            lambda: nio.FDI("MEX", "c14", "1 MUSD", components={"old": 1.0}, capitalised={"old": 1.0}),
            "old is none of new, reinvested, intercompany",
        ),
        (lambda: nio.Wage("MEX", -1.0), "wage rise must be above -1"),
        (lambda: nio.Wage("MEX", 10), "at most 5 .500 %., not 10; 25 per cent is 0.25"),
        (lambda: nio.Tariff("USA", "MEX", 25), "at most 5 .500 %., not 25"),
        (lambda: nio.Timing(build={2025: 1.0}, productivity=2), "a yearly rate between -1 and 1"),
        (lambda: nio.ContentRule("MEX", "c15", 75), "threshold must be a share between 0 and 1, not 75"),
        (lambda: nio.Ramp(2030, 2026), "it ends in 2026, before it starts in 2030"),
        (lambda: nio.Timing(build={2025: 0.4}), "shares of build sum to 0.4, not to one"),
        (lambda: nio.Timing(), "give build, the shares by year, or a ramp"),
    ],
)
def test_what_no_table_could_carry(build: object, message: str) -> None:
    with pytest.raises(nio.ShockError, match=message):
        build()  # type: ignore[operator]


USA_MEX = [("USA", "MEX")]


@pytest.mark.parametrize(
    ("shocks", "error", "message"),
    [
        (
            [nio.Technology("MEX", "c15", inputs={"c14": 0.9})],
            nio.ShockError,
            r"shock 1 \(technology\): technology inputs: MEX/c15 would use 1.\d+ of inputs for each unit it makes",
        ),
        (
            [nio.Technology("MEX", "c15", inputs={"c13": -0.9})],
            nio.ShockError,
            "MEX/c15 would use less than no c13: save less of it",
        ),
        (
            [nio.Technology("CHN", "c14", localised="c19", localisation=0.5)],
            nio.ShockError,
            "CHN makes no c19, so a localised share has no supplier",
        ),
        (
            [nio.Technology("CHN", "c14", inputs={"c19": 0.01}, origins={"c19": {"CHN": 1.0}})],
            nio.ShockError,
            "technology origins: CHN makes no c19",
        ),
        (
            [nio.FinalDemand("MEX", "c14", "900 billion USD", final_region="USA", displaces="CHN")],
            nio.ShockError,
            r"displaces 900,\d+|displaces 9e\+05 million USD of c14, of which these final users buy only .* from CHN",
        ),
        (
            [nio.Plant("MEX", "c14", output="900 billion USD", replaces="CHN", buyers="USA")],
            nio.ShockError,
            "CHN sells only .* of c14 to these buyers: take over less",
        ),
        (
            [nio.Capacity("MEX", "c14", cut=0.1), nio.Capacity("MEX", "manufacturing", cut=0.2)],
            nio.ShockError,
            "MEX/c14 is capped twice",
        ),
        (
            [nio.Capacity("MEX", "c14", cut=0.1), nio.Capacity("MEX", "c13", cut=0.2, rule="rationing")],
            nio.ShockError,
            "caps of one scenario hold by one rule",
        ),
        ([nio.Capacity("MEX", "c14", level="-1 MUSD")], nio.UnitError, "capacity level '-1 MUSD' is negative"),
        ([nio.Capacity("CHN", "c19", cut=0.1)], nio.ShockError, "CHN has no output of c19, so there is nothing to limit"),
        ([nio.Capacity("MEX", resource="skill", cut=0.1)], nio.ShockError, "'skill' is no stressor .* give its need with per_output"),
        (
            [nio.Tariff("USA", "MEX", 0.1, elasticity=4.0), nio.TradeCost(USA_MEX, -0.01)],
            nio.ShockError,
            "need the same elasticity",
        ),
        (
            [nio.Tariff("USA", "MEX", -0.6), nio.TradeCost([("MEX", "USA")], -0.6, direction="forward")],
            nio.ShockError,
            "add up to -100 % or less",
        ),
        ([nio.Tariff("USA", "USA", 0.1)], nio.ShockError, "USA imports nothing from USA"),
        ([nio.Extraction([("USA", "north_america")])], nio.ShockError, "USA stands on both sides"),
        ([nio.Extraction([*USA_MEX, ("MEX", "USA")])], nio.ShockError, "what .* sells to .* is named twice"),
        ([nio.Inventories([*USA_MEX, ("MEX", "USA")], days=2)], nio.ShockError, "what .* sells to .* is named twice"),
        ([nio.TradeCost([*USA_MEX, ("MEX", "all")], 0.1)], nio.ShockError, "what .* sells to .* is named twice"),
        ([nio.Capacity("MEX", "c14", cut=0.1), nio.Wage("MEX", 0.1)], nio.ShockError, "limits are not defined with"),
        ([nio.Inventories(USA_MEX, days=2), nio.Inventories(USA_MEX, days=3)], nio.ShockError, "give one shock all the pairs"),
        (
            [nio.Extraction(USA_MEX, days=3), nio.Extraction([("USA", "CHN")], days=4)],
            nio.ShockError,
            "last equally long",
        ),
        ([nio.Output("MEX", "c14", "900 billion USD", direction="decrease")], nio.ShockError, "less than the .* to be taken away"),
        ([nio.ContentRule("MEX", "c14", 1.0, area="CHN")], nio.ShockError, "misses 100% by .* Lower the threshold"),
        ([nio.Wage("MEX", 4.0, paid_by="profit")], nio.ShockError, "less left after wages than the rise would take"),
        ([nio.Wage("MEX", 0.1, income="pay")], nio.ShockError, "has no pay; its stressors are jobs, compensation"),
        ([nio.Relocation("c14", "CHN", "MEX", "USA", elasticity=4.0, price_change=0.2)], nio.ShockError, "move the other way"),
        ([nio.FDI("MEX", "c14", "1 MUSD", assets={"machines": 1.0})], nio.LabelError, r"\(fdi\), assets: no asset 'machines'.*machinery"),
        # an unknown label in any field is answered with the field
        ([nio.FinalDemand("MEX", "c99", "1 MUSD")], nio.LabelError, r"shock 1 \(final_demand\), sector: no sector 'c99'"),
        ([nio.FinalDemand("MEX", "c14", "1 MUSD", displaces="CHX")], nio.LabelError, ", displaces: no region 'CHX'"),
        ([nio.Output("MEX", "c99", "1 MUSD")], nio.LabelError, ", sector: no sector 'c99'"),
        ([nio.Plant("MEX", "c14", output="1 MUSD", technology="CHX")], nio.LabelError, ", technology: no region 'CHX'"),
        ([nio.Plant("MEX", "c14", output="1 MUSD", final_region="UXA")], nio.LabelError, ", final_region: no final_region 'UXA'"),
        ([nio.Relocation("c99", "CHN", "MEX", "USA", 0.1)], nio.LabelError, ", sectors: no sector 'c99'"),
        ([nio.Relocation("c14", "CHN", "MEX", "USA", {"c13": 0.1})], nio.ShockError, "'c13' is none of the sectors that move"),
        ([nio.Relocation("c14", "CHN", "MEX", "USA", {"c14": {"CAN": 0.1}})], nio.ShockError, "'CAN' is none of the buyers"),
        ([nio.Relocation("c14", "CHN", {"MXE": 1.0}, "USA", 0.1)], nio.LabelError, ", destination: no region 'MXE'"),
        ([nio.Technology("MEX", "c15", inputs={"c99": 0.1})], nio.LabelError, ", inputs: no sector 'c99'"),
        ([nio.Technology("MEX", "c15", localised="c99", localisation=0.1)], nio.LabelError, ", localised: no sector 'c99'"),
        ([nio.Extraction([("USA", "MXE")])], nio.LabelError, ", pairs: no region 'MXE'"),
        ([nio.Extraction(USA_MEX, sectors="c99")], nio.LabelError, ", sectors: no sector 'c99'"),
        ([nio.Capacity("MEX", "c99", cut=0.1)], nio.LabelError, ", sector: no sector 'c99'"),
        ([nio.Capacity("MEX", "c14", cut=0.1, critical="c99")], nio.LabelError, ", critical: no sector 'c99'"),
        ([nio.Inventories(USA_MEX, days=2, stock={"c99": 3.0, "other": 9.0})], nio.LabelError, ", stock: no sector 'c99'"),
        ([nio.Tariff("USA", "MEX", 0.1, sectors="c99")], nio.LabelError, ", sectors: no sector 'c99'"),
        ([nio.Tariff("USA", "MEX", 0.1, recycle="HFC")], nio.LabelError, ", recycle: no category 'HFC'"),
        ([nio.TradeCost([("USA", "MXE")], 0.1)], nio.LabelError, ", pairs: no region 'MXE'"),
        ([nio.Wage("MXE", 0.1)], nio.LabelError, ", region: no region 'MXE'"),
        ([nio.ContentRule("MEX", "c15", 0.9, area="nafta")], nio.LabelError, ", area: no region 'nafta'"),
    ],
)  # fmt: skip
def test_what_this_table_cannot_carry(
    model: nio.Leontief, shocks: list[object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(model, *shocks)


def test_limits_stand_alone(model: nio.Leontief) -> None:
    closed = nio.Leontief(model.table, closure="households")
    with pytest.raises(nio.ClosureError, match="for the open model only"):
        run(closed, nio.Capacity("MEX", "c14", cut=0.1))
    with pytest.raises(nio.ShockError, match="S04.* is a name; nio.load_scenario"):
        nio.run(model, "S04")  # type: ignore[arg-type]
    built = nio.Scenario("a", [nio.FDI("MEX", "c14", "1 MUSD")], timing=nio.Timing(ramp=nio.Ramp(2025, 2027)))
    with pytest.raises(nio.ShockError, match="builds something: say when"):
        nio.run_years(model, built)
    timed = nio.Scenario("a", [nio.Output("MEX", "c14", "1 MUSD")], timing=nio.Timing(ramp=nio.Ramp(2025, 2027)))
    with pytest.raises(nio.ShockError, match="are those of a year"):
        nio.gainers_and_losers(nio.run_years(model, timed))
    with pytest.raises(nio.ShockError, match="no balanced table stands after it"):
        nio.counterfactual(model, nio.Scenario("a", [nio.Extraction([("USA", "MEX")])]))
    with pytest.raises(nio.ShockError, match="not defined with new plants or prices"):
        run(model, nio.Capacity("MEX", "c14", cut=0.1), nio.Plant("MEX", "c14", output="1 MUSD"))
    timed = nio.Scenario("a", [nio.Capacity("MEX", "c14", cut=0.1)], timing=nio.Timing(ramp=nio.Ramp(2025, 2027)))
    with pytest.raises(nio.ShockError, match="cannot be phased in over years"):
        nio.run_years(model, timed)
    with pytest.raises(nio.ShockError, match="has no timing"):
        nio.run_years(model, nio.Scenario("a", [nio.Capacity("MEX", "c14", cut=0.1)]))
    with pytest.raises(nio.ShockError, match="no balanced table"):
        nio.counterfactual(model, nio.Scenario("a", [nio.Tariff("USA", "MEX", 0.1)]))
    with pytest.raises(nio.ClosureError, match="exogenous must be pairs"):
        nio.Mixed("c14")  # type: ignore[arg-type]
    with pytest.raises(nio.LabelError, match="no sector 'c99'"):
        _ = nio.Leontief(model.table, closure=nio.Mixed([("MEX", "c99")])).held


FILE = """
[[scenario]]
name = "a"
[scenario.parameters.share]
value = 0.1
unit = "share"
source = "assumption"
{more}
[[scenario.shock]]
kind = "relocation"
sectors = "c14"
origin = "CHN"
destination = "MEX"
buyers = "USA"
share = "{use}"
"""


@pytest.mark.parametrize(
    ("more", "use", "message"),
    [
        ("", "$shares", r"scenario\[0\].shock\[0\].share: no parameter 'shares'; known: share"),
        ("low = 0.05", "$share", "parameter 'share' has only one end of a band"),
        ("low = 0.2\nhigh = 0.1", "$share", "low 0.2 is above high 0.1; swap them"),
        ('[scenario.parameters.idle]\nvalue = 1\nunit = "1"\nsource = "s"', "$share", "no shock uses parameter 'idle'"),
        ("low = 0.2\nhigh = 0.3", "$share", "0.1 does not lie between low 0.2 and high 0.3"),
        ("hihg = 0.3", "$share", r"parameters.share.hihg is not a known key: did you mean 'high'"),
        ("low = 0.05\nhigh = 1.5", "$share", r"variant 'share = 1.5', shock 1 \(relocation\): relocation share must be a share"),
    ],
)  # fmt: skip
def test_parameters_of_a_file(tmp_path: Path, more: str, use: str, message: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(FILE.format(more=more, use=use))
    with pytest.raises(nio.FormatError, match=message):
        nio.read_scenarios(file)


def test_a_parameter_without_a_source(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(FILE.format(more="", use="$share").replace('source = "assumption"\n', ""))
    with pytest.raises(nio.FormatError, match=r"scenario\[0\].parameters.share.source is missing"):
        nio.read_scenarios(file)


def test_a_band_of_two_parameters_has_four_corners(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    more = 'low = 0.05\nhigh = 0.2\n[scenario.parameters.cost]\nvalue = 1.0\nlow = 0.9\nhigh = 1.1\nunit = "1"\nsource = "assumption"'
    file.write_text(FILE.format(more=more, use="$share") + 'relative_cost = "$cost"\n')
    (scenario,) = nio.read_scenarios(file)
    assert list(scenario.variants) == [f"share = {s}, cost = {c}" for s in ("0.05", "0.2") for c in ("0.9", "1.1")]
    assert scenario.variants["share = 0.2, cost = 0.9"][0].share == 0.2
    assert scenario.variants["share = 0.2, cost = 0.9"][0].relative_cost == 0.9


def test_the_timing_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    timing = "[scenario.timing]\nbuild = { 2025 = 0.5, 2026 = 0.5 }\nramp = { start = 2028, end = 2027 }\n"
    text = FILE.format(more="", use="$share").replace("[[scenario.shock]]", timing + "[[scenario.shock]]")
    file.write_text(text)
    with pytest.raises(nio.FormatError, match="ramp: it ends in 2027, before it starts in 2028"):
        nio.read_scenarios(file)
    file.write_text(text.replace("end = 2027", 'end = 2030, shape = "logistic"'))
    (scenario,) = nio.read_scenarios(file)
    assert list(scenario.timing.years) == [2025, 2026, 2027, 2028, 2029, 2030]
    assert [round(scenario.timing.run_share(year), 3) for year in (2027, 2028, 2030)] == [0.0, 0.16, 1.0]


def test_variants_of_a_file(tmp_path: Path) -> None:
    """A misspelt key, an unknown kind, a name that is used twice or looks like a corner: each with its path."""
    file = tmp_path / "s.toml"
    shock = '[[scenario.variant.shock]]\nkind = "output"\nregion = "MEX"\nsector = "c14"\namount = "1 MUSD"\n'
    base = FILE.format(more="", use="$share")
    one, two = (f'[[scenario.variant]]\nname = "{name}"\n' for name in ("one", "two"))
    for text, message in (
        (one + shock + two + shock.replace("sector", "secotr"), "did you mean 'sector'"),
        (
            one + shock + two + shock.replace("output", "ouptut"),
            r"scenario\[0\].variant\[1\].shock\[0\].kind 'ouptut': did you mean",
        ),
        (one + shock + one + shock, "variant 'one' is used twice"),
        (one.replace("one", "x = y") + shock, "holds ' = ', as corners of the band do"),
    ):
        file.write_text(base + text)
        with pytest.raises(nio.FormatError, match=message):
            nio.read_scenarios(file)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nio.Question("exposure"), "need whom they are to"),
        (lambda: nio.Question("exim", region="MEX"), "indicator exim: it has no region"),
        (lambda: nio.Question("market", region=["MEX"], to="USA"), "one country each"),
        (lambda: nio.Question("wealth"), "indicator kind must be one of exposure"),
    ],
)
def test_impossible_indicators(build: object, message: str) -> None:
    with pytest.raises(nio.ShockError, match=message):
        build()  # type: ignore[operator]
