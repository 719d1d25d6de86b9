"""Exports taken apart: every term by explicit, modified inverses, and the identities that tie methods together."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import random_table, tables
from hypothesis import given
from hypothesis import strategies as st

import nearshore_io as nio
from nearshore_io.indicators.decomposition.decompose import METHODS

VIEWS = [(method, view) for method, views in METHODS.items() for view in views]


class Explicit:
    """The algebra of a table by full inverses, as the papers write it: nothing here is the package's own route."""

    def __init__(self, table: nio.IOTable, bloc: tuple[str, ...] = ()) -> None:
        owner = [table.country[region] for region in table.regions]
        names = [("bloc" if name in bloc else name) for name in owner]
        self.names = list(dict.fromkeys(names))
        self.of = np.repeat([self.names.index(name) for name in names], len(table.sectors))
        self.Z = np.asarray(table.Z.toarray() if hasattr(table.Z, "toarray") else table.Z)
        y = table.Y.sum("category").values.reshape(table.n, -1)
        self.Y = np.zeros((table.n, len(self.names)))
        for k, name in enumerate(table.final_regions):
            self.Y[:, self.names.index("bloc" if name in bloc else name)] += y[:, k]
        self.x = self.Z.sum(axis=1) + self.Y.sum(axis=1)
        self.A = self.Z * np.where(self.x != 0, 1 / np.where(self.x != 0, self.x, 1), 0)
        self.v = 1 - self.A.sum(axis=0)
        self.B = self.inverse(self.A)
        self.G = len(self.names)

    @staticmethod
    def inverse(A: np.ndarray) -> np.ndarray:
        return np.linalg.inv(np.eye(len(A)) - A)

    def at(self, s: int) -> np.ndarray:
        return np.flatnonzero(self.of == s)

    def E(self, s: int, r: int) -> np.ndarray:
        return self.A[np.ix_(self.at(s), self.at(r))] @ self.x[self.at(r)] + self.Y[self.at(s), r]

    def without_exports(self, s: int) -> np.ndarray:
        A = self.A.copy()
        A[np.ix_(self.at(s), np.flatnonzero(self.of != s))] = 0
        return self.inverse(A)

    def L(self, r: int) -> np.ndarray:
        rows = self.at(r)
        return self.inverse(self.A[np.ix_(rows, rows)])

    def origin(self, B: np.ndarray, t: int, s: int) -> np.ndarray:
        """Return v_t B_ts."""
        return self.v[self.at(t)] @ B[np.ix_(self.at(t), self.at(s))]

    def foreign(self, B: np.ndarray, s: int) -> np.ndarray:
        return sum(self.origin(B, t, s) for t in range(self.G) if t != s)

    def a(self, s: int, r: int) -> np.ndarray:
        return self.A[np.ix_(self.at(s), self.at(r))]

    def source(self, s: int, r: int) -> dict[str, np.ndarray]:
        Bx, e = self.without_exports(s), self.E(s, r)
        once = self.origin(Bx, s, s)
        BY = self.B @ self.Y
        returned = self.Y[self.at(r), s] + sum(self.a(r, j) @ BY[self.at(j), s] for j in range(self.G) if j != r)
        fva, fc = self.foreign(Bx, s) * e, self.foreign(self.B, s) * e
        found = {
            "dva": once * e, "ddc": (self.origin(self.B, s, s) - once) * e, "fva": fva, "fdc": fc - fva, "fc": fc,
            "davax": once * (self.Y[self.at(s), r] + self.a(s, r) @ self.L(r) @ self.Y[self.at(r), r]),
            "ref": once * (self.a(s, r) @ self.L(r) @ returned),
        }  # fmt: skip
        found["vax"] = found["dva"] - found["ref"]
        found["gvc"] = e - found["davax"]
        found["gvcb"] = found["fc"] + found["ddc"]
        found["gvcf"] = found["gvc"] - found["gvcb"]
        return found

    def sink(self, s: int, r: int) -> dict[str, np.ndarray]:
        Bx = self.without_exports(s)
        Yx = self.Y.copy()
        Yx[np.ix_(self.at(s), [j for j in range(self.G) if j != s])] = 0
        own, foreign = self.origin(self.B, s, s), self.foreign(self.B, s)
        e_s = np.zeros(len(self.x))
        e_s[self.at(s)] = sum(self.E(s, j) for j in range(self.G) if j != s)
        path = self.a(s, r) @ self.L(r)

        def beyond(q: np.ndarray) -> np.ndarray:
            return sum(self.a(r, j) @ q[self.at(j)] for j in range(self.G) if j != r)

        core = self.Y[self.at(s), r] + path @ (self.Y[self.at(r)].sum(axis=1) + beyond(Bx @ Yx.sum(axis=1)))
        again = path @ beyond(Bx @ e_s)
        found = {
            "dva": own * core, "ddc": own * again, "fva": foreign * core, "fdc": foreign * again,
            "ref": own * (path @ (self.Y[self.at(r), s] + beyond(Bx @ Yx[:, s]))),
            "vaxim": own * (self.Y[self.at(s), r] + path @ (self.Y[self.at(r), r] + beyond(Bx @ Yx[:, r]))),
        }  # fmt: skip
        found["vax"] = found["dva"] - found["ref"]
        return found

    def perimeter(self, s: int, r: int, rows: np.ndarray, columns: np.ndarray) -> dict[str, np.ndarray]:
        A = self.A.copy()
        A[np.ix_(rows, columns)] = 0
        Bx, e = self.inverse(A), self.E(s, r)
        dva, fva = self.origin(Bx, s, s) * e, self.foreign(Bx, s) * e
        return {
            "dva": dva, "ddc": self.origin(self.B, s, s) * e - dva, "fva": fva,
            "fdc": self.foreign(self.B, s) * e - fva,
        }  # fmt: skip

    def wwz(self, s: int, r: int) -> dict[str, np.ndarray]:
        others = [t for t in range(self.G) if t not in (s, r)]
        own, once = self.origin(self.B, s, s), self.v[self.at(s)] @ self.L(s)
        b = {(i, j): self.B[np.ix_(self.at(i), self.at(j))] for i in range(self.G) for j in range(self.G)}
        y = {(i, j): self.Y[self.at(i), j] for i in range(self.G) for j in range(self.G)}
        a, e_r = self.a(s, r), sum(self.E(r, j) for j in range(self.G) if j != r)
        importer, third = self.origin(self.B, r, s), sum(self.origin(self.B, t, s) for t in others)
        absorbed, sent = a @ self.L(r) @ y[r, r], a @ self.L(r) @ e_r
        zero = np.zeros(len(self.at(r)))
        return {
            "dva_fin": own * y[s, r],
            "dva_int": once * (a @ b[r, r] @ y[r, r]),
            "dva_int_rex_i1": once * (a @ sum((b[r, t] @ y[t, t] for t in others), zero)),
            "dva_int_rex_f": once * (a @ b[r, r] @ sum((y[r, t] for t in others), zero)),
            "dva_int_rex_i2": once
            * (a @ sum((b[r, t] @ sum((y[t, u] for u in range(self.G) if u not in (s, t)), 0 * y[t, t]) for t in others), zero)),
            "rdv_fin": once * (a @ b[r, r] @ y[r, s]),
            "rdv_fin2": once * (a @ sum((b[r, t] @ y[t, s] for t in others), zero)),
            "rdv_int": once * (a @ b[r, s] @ y[s, s]),
            "ddc_fin": once * (a @ b[r, s] @ sum(y[s, t] for t in range(self.G) if t != s)),
            "ddc_int": (own - once) * (a @ self.x[self.at(r)]),
            "mva_fin": importer * y[s, r], "ova_fin": third * y[s, r],
            "mva_int": importer * absorbed, "ova_int": third * absorbed,
            "mdc": importer * sent, "odc": third * sent,
        }  # fmt: skip

    def kww(self, s: int) -> dict[str, float]:
        others = [r for r in range(self.G) if r != s]
        F = self.foreign(self.B, s)
        e = {r: sum(self.E(r, j) for j in range(self.G) if j != r) for r in range(self.G)}
        found = dict.fromkeys(METHODS["koopman-wang-wei"][""].adds_up, 0.0)
        for r in others:
            V, ySr = self.origin(self.B, s, r), self.Y[self.at(s), r]
            yrr, yrs = self.Y[self.at(r), r], self.Y[self.at(r), s]
            back = self.a(r, s) @ self.L(s)
            path = self.a(s, r) @ self.L(r)
            found["dva_fin"] += self.origin(self.B, s, s) @ ySr
            found["dva_int"] += V @ yrr
            found["dva_intrex"] += V @ sum((self.Y[self.at(r), t] for t in others if t != r), 0 * yrr)
            found["rdv_fin"] += V @ yrs
            found["rdv_int"] += V @ back @ self.Y[self.at(s), s]
            found["ddc"] += V @ back @ e[s]
            found["fva_fin"] += F @ ySr
            found["fva_int"] += F @ path @ yrr
            found["fdc"] += F @ path @ e[r]
        return found


def cells(dataset: object, name: str, importer: str) -> np.ndarray:
    return np.asarray(dataset[name].sel(importer=importer).values)  # type: ignore[index]


def by_sector(values: np.ndarray, width: int) -> np.ndarray:
    return np.asarray(values).reshape(-1, width).sum(axis=0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["source", "sink", "wang-wei-zhu"])
def test_terms_are_those_of_modified_inverses(seed: int, name: str) -> None:
    """Split Mexico, an idle industry, negative inventories: cell by cell, 1e-9."""
    table = random_table(seed, 4)
    plain = Explicit(table)
    for exporter in ("USA", "MEX", "CHN"):
        s = plain.names.index(exporter)
        options = {"method": name} if name == "wang-wei-zhu" else {"perspective": name}
        found = nio.decompose_exports(nio.Leontief(table), exporter, by=["sector", "importer"], **options)  # type: ignore[arg-type]
        for importer in plain.names:
            if importer == exporter:
                continue
            r = plain.names.index(importer)
            expected = getattr(plain, "wwz" if name == "wang-wei-zhu" else name)(s, r)
            for term, values in expected.items():
                np.testing.assert_allclose(
                    cells(found, term, importer), by_sector(values, 4), rtol=1e-9, atol=1e-9, err_msg=term
                )


@pytest.mark.parametrize("seed", range(3))
def test_koopman_wang_wei_by_inverses(seed: int) -> None:
    table = random_table(seed, 4)
    plain = Explicit(table)
    for exporter in ("USA", "MEX"):
        found = nio.decompose_exports(nio.Leontief(table), exporter, method="koopman-wang-wei")
        for term, value in plain.kww(plain.names.index(exporter)).items():
            assert float(found[term]) == pytest.approx(value, rel=1e-9, abs=1e-9), term


def test_perimeters_by_inverses() -> None:
    """Own flow (bilateral, by sector), and the importer's border, each with its own extraction."""
    table = random_table(7, 3)
    plain, model = Explicit(table), nio.Leontief(table)
    s, r = plain.names.index("MEX"), plain.names.index("USA")
    flow = nio.decompose_exports(model, "MEX", "USA", by=["importer", "sector"], perspective="own-flow")
    whole = nio.decompose_exports(model, "MEX", "USA", perspective="own-flow")
    border = nio.decompose_exports(model, "MEX", "USA", by="sector", perspective="importer")
    everything = plain.perimeter(s, r, plain.at(s), plain.at(r))
    abroad = np.flatnonzero(plain.of != r)
    entering = plain.perimeter(s, r, abroad, plain.at(r))
    for term in ("dva", "ddc", "fva", "fdc"):
        assert float(whole[term]) == pytest.approx(everything[term].sum(), rel=1e-9)
        np.testing.assert_allclose(border[term].values, by_sector(entering[term], 3), rtol=1e-9, atol=1e-10)
        for j, sector in enumerate(table.sectors):
            rows = plain.at(s)[plain.at(s) % 3 == j]
            alone = plain.perimeter(s, r, rows, plain.at(r))[term]
            expected = alone[plain.at(s) % 3 == j].sum()
            assert float(flow[term].sel(importer="USA", sector=sector)) == pytest.approx(expected, rel=1e-9, abs=1e-10)


def test_what_is_lost_when_the_flow_is_extracted() -> None:
    """Los & Timmer: the own-flow's domestic value added is GDP less GDP without that flow."""
    table = random_table(11, 3)
    plain = Explicit(table)
    s, r = plain.names.index("MEX"), plain.names.index("CHN")
    A, Y = plain.A.copy(), plain.Y.copy()
    A[np.ix_(plain.at(s), plain.at(r))] = 0
    Y[plain.at(s), r] = 0
    without = plain.inverse(A) @ Y.sum(axis=1)
    lost = (plain.v * (plain.x - without))[plain.at(s)].sum()
    found = nio.decompose_exports(nio.Leontief(table), "MEX", "CHN", perspective="own-flow")
    assert float(found.dva) == pytest.approx(lost, rel=1e-9)


def test_world_perspectives() -> None:
    table = random_table(5, 4)
    plain = Explicit(table)
    model = nio.Leontief(table)
    s = plain.names.index("MEX")
    rows = plain.at(s)
    first = sum(plain.v[plain.at(t)] @ plain.L(t) @ plain.a(t, s) @ plain.L(s) for t in range(plain.G) if t != s)
    e = sum(plain.E(s, r) for r in range(plain.G) if r != s)
    source = nio.decompose_exports(model, "MEX", perspective="world-source")
    assert float(source.fva) == pytest.approx(first @ e)
    assert float(source.dva) == pytest.approx(plain.v[rows] @ plain.L(s) @ e)
    sink = nio.decompose_exports(model, "MEX", perspective="world-sink")
    nine = nio.decompose_exports(model, "MEX", method="koopman-wang-wei")
    assert float(sink.fva) == pytest.approx(float(nine.fva_fin + nine.fva_int))
    assert float(sink.fdc) == pytest.approx(float(nine.fdc))


@given(tables(), st.sampled_from(["folded", "separate"]))
def test_identities_across_methods(table: nio.IOTable, taxes: str) -> None:
    """What the methods share: exports, domestic and foreign content, v_s L_ss e_s, and sums over importers."""
    model = nio.Leontief(table)
    for exporter in ("USA", "MEX"):
        found = {
            (method, view): nio.decompose_exports(model, exporter, method=method, perspective=view or None, taxes=taxes)  # type: ignore[arg-type]
            for method, view in VIEWS
        }
        source, sink = found["borin-mancini", "source"], found["borin-mancini", "sink"]
        nine, sixteen = found["koopman-wang-wei", ""], found["wang-wei-zhu", ""]
        scale = float(source.exports)
        for name in ("exports", "dva", "ddc", "fva", "fdc", "dc", "fc", "ref", "vax"):
            assert float(source[name]) == pytest.approx(float(sink[name]), abs=1e-9 * scale), name
        kept = sum(nine[t] for t in ("dva_fin", "dva_int", "dva_intrex", "rdv_fin", "rdv_int"))
        assert float(kept) == pytest.approx(float(source.dva), abs=1e-9 * scale)
        assert float(nine.ddc) == pytest.approx(float(source.ddc), abs=1e-9 * scale)
        assert float(sixteen.ddc_fin + sixteen.ddc_int) == pytest.approx(float(source.ddc), abs=1e-9 * scale)
        assert float(found["tiva", ""].exgr_fva) == pytest.approx(float(source.fc), abs=1e-9 * scale)
        assert float(found["tiva", ""].exgr_dva) == pytest.approx(float(source.dc), abs=1e-9 * scale)
        content = nio.export_content(model, exporter, taxes="separate")
        if taxes == "separate":
            share = float(content.sel(origin=exporter))
            assert float(source.dc) / scale == pytest.approx(share, abs=1e-9)
            assert float(source.taxes) / scale == pytest.approx(float(content.sel(origin="taxes")), abs=1e-9)
        for dataset in found.values():
            assert dataset.attrs["units" if "units" in dataset.attrs else "taxes"] is not None


@pytest.mark.parametrize(("method", "view"), [v for v in VIEWS if v[0] != "koopman-wang-wei" and v[1] != "own-flow"])
def test_parts_sum_to_the_whole(method: str, view: str) -> None:
    """By sector and importer, by either, or in one: the same sums; own flows are perimeters of their own and are not."""
    model = nio.Leontief(random_table(2, 3))
    options = {"method": method, "perspective": view or None}
    fine = nio.decompose_exports(model, "MEX", by=["sector", "importer"], **options)  # type: ignore[arg-type]
    for coarse in ((), ("sector",), ("importer",)):
        other = nio.decompose_exports(model, "MEX", by=coarse, **options)  # type: ignore[arg-type]
        summed = fine.sum([dim for dim in ("sector", "importer") if dim not in coarse])
        for name in fine.data_vars:
            np.testing.assert_allclose(other[name].values, summed[name].values, rtol=1e-12, atol=1e-9)


def test_a_bloc_is_one_exporter() -> None:
    """North America's trade within is domestic: terms by inverses in which its countries are one area."""
    table = random_table(4, 3)
    plain = Explicit(table, bloc=("USA", "MEX"))
    model = nio.Leontief(table)
    s, r = plain.names.index("bloc"), plain.names.index("CHN")
    from nearshore_io.indicators.areas import areas_of
    from nearshore_io.indicators.decomposition import borin_mancini

    v = 1.0 - np.asarray(table.A.sum(axis=0)).ravel()
    areas, _ = areas_of(model, ["USA"], v)
    assert areas.names == ("USA", "MEX", "CHN")
    north = nio.load_table("north-america-2011")
    whole = nio.Leontief(north)
    bloc = nio.decompose_exports(whole, "north_america")
    apart = nio.decompose_exports(whole, ["USA", "MEX", "CAN"])
    assert float(bloc.exports) < float(apart.exports.sum())
    assert float(bloc.dva) / float(bloc.exports) > float(apart.dva.sum() / apart.exports.sum())
    grouped = {"USA": "NA", "MX1": "NA", "MX2": "NA", "CHN": "CHN"}
    merged = nio.aggregate(table, regions=grouped)
    expected = Explicit(merged)
    assert expected.names == ["NA", "CHN"]
    rows = np.concatenate([areas.rows[0], areas.rows[1]])
    one = type(areas)(
        model,
        ("NA", "CHN"),
        (np.sort(rows), areas.rows[2]),
        v,
        np.column_stack([areas.Y[:, :2].sum(axis=1), areas.Y[:, 2]]),
    )
    _, B = next(one.columns([0]))
    found = borin_mancini.source(one, 0, B)
    for term, values in plain.source(s, r).items():
        np.testing.assert_allclose(found[term][:, 1], values, rtol=1e-9, atol=1e-9, err_msg=term)


def test_all_countries_at_once() -> None:
    table = random_table(8, 3)
    model = nio.Leontief(table)
    every = nio.decompose_exports(model, by="importer")
    assert list(every.exporter.values) == list(table.countries)
    for exporter in table.countries:
        alone = nio.decompose_exports(model, exporter, by="importer")
        for importer in alone.importer.values:
            assert float(every.dva.sel(exporter=exporter, importer=importer)) == pytest.approx(
                float(alone.dva.sel(importer=importer)), rel=1e-12
            )
        assert np.isnan(every.dva.sel(exporter=exporter, importer=exporter))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"exporter": "MEX", "importer": "MEX"}, nio.ShockError, "MEX does not import from itself"),
        ({"exporter": "MX2"}, nio.LabelError, "exporter 'MX2' is only a part of MEX.*MX1 is left out"),
        ({"exporter": "MEX", "importer": ["USA", "USA"]}, nio.ShockError, "overlaps one named before"),
        ({"exporter": "MEX", "method": "kww"}, nio.LabelError, "no method 'kww'"),
        ({"exporter": "MEX", "perspective": "sinks"}, nio.LabelError, "has no perspective 'sinks'; its perspectives: source, sink"),
        ({"exporter": "MEX", "method": "tiva", "perspective": "sink"}, nio.LabelError, "it has none"),
        ({"exporter": "MEX", "by": "origin"}, nio.LabelError, "no dim of decompose_exports 'origin'"),
        ({"exporter": "MEX", "method": "koopman-wang-wei", "by": "sector"}, nio.LabelError, "decomposes total exports only"),
        ({"exporter": "MEX", "importer": "USA", "method": "koopman-wang-wei"}, nio.LabelError, "total exports only"),
        ({"exporter": "BRA"}, nio.LabelError, "no region 'BRA'"),
        ({"exporter": ["MEX", "MEX"]}, nio.LabelError, "duplicate"),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nio.decompose_exports(nio.Leontief(random_table(1)), **options)  # type: ignore[arg-type]


def test_a_country_without_exports() -> None:
    """0/0 is said, and is not zero."""
    industries = pd.MultiIndex.from_tuples([("A", "s"), ("B", "s")])
    Z = pd.DataFrame([[1.0, 0.0], [2.0, 2.0]], index=industries, columns=industries)
    Y = pd.DataFrame([[9.0, 0.0], [1.0, 8.0]], index=industries, columns=["A", "B"])
    model = nio.Leontief(nio.from_frames(Z, Y))
    assert float(nio.decompose_exports(model, "B").exports) == 3.0
    with pytest.raises(nio.ShockError, match="A exports nothing in this table: there is nothing to decompose"):
        nio.decompose_exports(model, "A")


@pytest.mark.parametrize("exporter", ["USA", "MEX"])
def test_published_shares_on_the_world_of_2011(wiod_model: nio.Leontief, exporter: str) -> None:
    """Domestic content 1 − VS; and the origin of value added sums as `export_content` says."""
    found = nio.decompose_exports(wiod_model, exporter)
    content = nio.export_content(wiod_model, exporter)
    assert float(found.dc / found.exports) == pytest.approx(float(content.sel(origin=exporter)), rel=1e-9)
    assert float(found.dva) < float(found.dc)
    years = pairwise([float(found.vax), float(found.dva), float(found.dc), float(found.exports)])
    assert all(smaller < larger for smaller, larger in years)


@pytest.mark.parametrize("seed", range(3))
def test_tiva_indicators_by_inverses(seed: int) -> None:
    """OECD's codes from full inverses; shares in per cent; world columns are sums, and balances cancel."""
    table = random_table(seed, 3)
    plain = Explicit(table)
    found = nio.tiva_indicators(nio.Leontief(table))
    BY = plain.B @ plain.Y
    for country in ("USA", "MEX"):
        s = plain.names.index(country)
        for partner in plain.names:
            if partner == country:
                continue
            r = plain.names.index(partner)
            at = {"country": country, "partner": partner}
            e = plain.E(s, r)
            local = plain.L(s)
            direct = plain.v[plain.at(s)] * np.diagonal(local) @ e
            assert float(found.EXGR_DDC.sel(at)) == pytest.approx(direct, rel=1e-9)
            assert float(found.EXGR_IDC.sel(at)) == pytest.approx(plain.v[plain.at(s)] @ local @ e - direct, abs=1e-9)
            assert float(found.EXGR_FVA.sel(at)) == pytest.approx(plain.foreign(plain.B, s) @ e, rel=1e-9)
            assert float(found.EXGR_FVASH.sel(at)) == pytest.approx(100 * plain.foreign(plain.B, s) @ e / e.sum())
            assert float(found.FFD_DVA.sel(at)) == pytest.approx(plain.v[plain.at(s)] @ BY[plain.at(s), r], rel=1e-9)
            assert float(found.DFD_FVA.sel(at)) == pytest.approx(plain.v[plain.at(r)] @ BY[plain.at(r), s], rel=1e-9)
            exported = sum(plain.E(r, j) for j in range(plain.G) if j != r)
            total = sum(plain.E(s, j).sum() for j in range(plain.G) if j != s)
            forward = plain.origin(plain.B, s, r) @ exported
            assert float(found.FEXDVAP.sel(at)) == pytest.approx(100 * forward / total, rel=1e-9)
    world = found.sel(partner="WLD")
    np.testing.assert_allclose(world.EXGR_DVASH + world.EXGR_FVASH, 100.0, rtol=1e-9)
    np.testing.assert_allclose(world.DEXFVAP, world.EXGR_FVASH, rtol=1e-9)
    np.testing.assert_allclose(world.BALGR, world.BALVAFD, atol=1e-8 * float(world.EXGR.max()))
    assert float(world.BALGR.sum()) == pytest.approx(0.0, abs=1e-8 * float(world.EXGR.max()))
    assert float(world.VALU.sum()) == pytest.approx(plain.Y.sum())
    assert world.EXGR_FVASH.attrs["units"] == "per cent"
