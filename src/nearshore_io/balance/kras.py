"""KRAS: scaling to any linear constraints, in conflict or not, with reliabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, eye_array
from scipy.sparse.linalg import spsolve

from nearshore_io.balance.conflict import CELLS_UP_TO, conflicting, proved
from nearshore_io.balance.constraints import Constraints, constrained, sign_bounds
from nearshore_io.balance.fit import Balanced, Progress, balanced, relative
from nearshore_io.balance.margins import readable_matrix, require_rounds
from nearshore_io.errors import ConflictError
from nearshore_io.solvers.base import Array, Flags, Matrix, Positions

_STALL = 25
"""Rounds after which targets move, if the residual has not halved meanwhile."""
_AGAIN = 3
"""Rounds from one move to the next, while the residual does not halve."""
_NEWTON = 60
_FAR = 300.0
"""Logarithm of a multiplier beyond which there is no root to be found."""
_PATIENCE = 40
"""Stalls in a row, none of which lowered the residual by a hundredth, after which it is given up."""
_MISSED = 0.01
"""Share of the largest relative gap from which a target counts as missed."""
_NEWTON_UP_TO = 2_000
"""Constraints up to which all multipliers are stepped at once where rounds are slow."""
_APART = 8
"""Classes of constraints that share no cell; what fits in none of them is scaled together, more slowly."""


def kras(
    Z: Matrix,
    *,
    rows: Array | Sequence[float] | None = None,
    columns: Array | Sequence[float] | None = None,
    constraints: Matrix | None = None,
    values: Array | Sequence[float] | None = None,
    spread: Array | Sequence[float] | None = None,
    names: Sequence[str] | None = None,
    rtol: float = 1e-8,
    maxiter: int = 10_000,
    progress: Progress | None = None,
) -> Balanced:
    """Return the matrix nearest to Z that meets Σ_i g_ki z_i = c_k, moving targets that conflict by their reliability.

    z_i = z⁰_i Π_k m_k^{g_ki} where z⁰_i > 0 and z⁰_i Π_k m_k^{−g_ki} where z⁰_i < 0; each m_k in turn solves its own
    constraint. Where the residual stalls, targets with a spread move towards what is realised,

        c_k ← c_k − ½ (c_k − g_k z) σ_k / max σ,

    the largest σ being that of the missed targets it shares cells with: reliable targets (σ small) move least, in
    proportion to σ, and those with σ = 0 not at all. Half the gap, because two targets that each moved all of theirs
    would change places for ever. The residual stalls where it has not halved in some rounds; on matrices of up to
    20,000 cells targets move only if a linear program finds that they conflict, so that slow convergence is not taken
    for a conflict.

    Parameters
    ----------
    Z : matrix, shape (m, n); dense or sparse. Signs and zeros are kept.
    rows, columns : targets, NaN where there is none.
    constraints, values : more constraints, coefficients over the cells of Z row by row, shape (k, m·n), any real
        numbers; and their targets.
    spread : standard deviation σ of every target — rows, then columns, then constraints. Default: none moves.
    names : of the further constraints, for errors.

    Returns
    -------
    Balanced : ``targets`` are those that were met in the end.

    Raises
    ------
    BalanceError
        Shapes that do not fit.
    ConflictError
        Targets without spread that conflict, named; a target on cells that are all zero.

    Source: Lenzen, Gallego & Wood (2009), Economic Systems Research 21, 23–45.
    """
    Z = readable_matrix(Z)
    require_rounds(maxiter)
    given = constrained(Z, rows, columns, constraints, values, spread, names)
    sizes = abs(given.G).max(axis=1).toarray().ravel() if given.G.nnz else np.ones(len(given.wanted))
    sizes = np.where(sizes > 0, sizes, 1.0)  # of coefficients: a constraint times a number is the same constraint
    problem = replace(
        given,
        G=csr_array(diags_array(1 / sizes) @ given.G),
        wanted=given.wanted / sizes,
        spread=given.spread / sizes,
    )
    with np.errstate(over="ignore", invalid="ignore"):  # in a conflict multipliers run away: no residual
        found = _scaled(problem, rtol, maxiter, progress)
    if found.worst > rtol:
        listed = np.argsort(-found.gaps)[:5]
        left = f"{found.iterations} rounds left " + ", ".join(
            f"{problem.names[i]} off by {100 * found.gaps[i]:.3g} %" for i in listed if found.gaps[i] > 0
        )
        wanted = np.where(problem.spread == 0, given.wanted, np.nan)
        if len(problem.z) > CELLS_UP_TO:
            raise ConflictError(
                f"KRAS did not reach {rtol:g}: {left}. Either these conflict, or it takes more rounds: raise "
                "maxiter, or give some of them a spread.",
                tuple(problem.names[i] for i in listed if found.gaps[i] > 0),
            )
        raise proved("KRAS", given.G, wanted, problem.names, np.sign(problem.z), left, rtol)
    with np.errstate(over="ignore"):  # a constraint that drove cells to zero has an infinite multiplier
        multipliers = problem.by_kind(np.exp(found.log / sizes))
    return balanced(
        problem.matrix(found.z, Z), Z, "KRAS", found.iterations, problem.by_kind(found.gaps), multipliers,
        problem.by_kind(np.where(found.moved, found.wanted * sizes, given.wanted)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Scaled:
    """Cells after scaling, the targets that were aimed at in the end, and what is left."""

    z: Array
    wanted: Array
    moved: Flags
    log: Array
    gaps: Array
    iterations: int

    @property
    def worst(self) -> float:
        return float(self.gaps.max(initial=0.0))


def _scaled(problem: Constraints, rtol: float, maxiter: int, progress: Progress | None) -> _Scaled:
    """Return the cells after rounds over all classes of constraints, moving targets that conflict."""
    classes = [_class(problem, members) for members in _classes(problem.G)]
    z, c = problem.z.copy(), problem.wanted.copy()
    log, short, gaps = (np.zeros(len(c)) for _ in range(3))
    sums = csr_array(abs(problem.G))
    conflict: bool | None = None
    checkpoint, due, iteration, still = np.inf, _STALL, 0, 0
    for iteration in range(1, maxiter + 1):
        for part in classes:
            short[part.members] = part.short_of(z, c)  # before its own turn: after it, it holds
            log[part.members] += part.scale(z, c)
        gaps = relative(problem.G @ z, c, np.asarray(sums @ np.abs(z)))
        worst = float(gaps.max(initial=0.0))
        if progress is not None:
            progress(iteration, worst)
        if worst <= rtol or not np.isfinite(worst):
            break
        if iteration < due:
            continue
        due = iteration + _STALL
        if worst > 0.5 * checkpoint:
            conflict = _conflict(problem) if conflict is None else conflict
            if conflict:
                due = iteration + _AGAIN
                if not _move(problem, z, short, c):
                    break
            elif len(c) <= _NEWTON_UP_TO:
                log += _newton(problem, z, c)
        still = still + 1 if worst > 0.99 * checkpoint else 0
        if still == _PATIENCE and len(problem.z) > CELLS_UP_TO and not problem.spread.any():
            break
        checkpoint = worst
    return _Scaled(z, c, c != problem.wanted, log, gaps, iteration)


def _conflict(problem: Constraints) -> bool:
    """Tell whether targets conflict; on large matrices, whether they may."""
    if len(problem.z) > CELLS_UP_TO:
        return bool(problem.spread.any())
    return conflicting(problem.G, problem.wanted, *sign_bounds(problem.z)) is not None


def _newton(problem: Constraints, z: Array, c: Array) -> Array:
    """Scale z in place by steps on all multipliers at once; return the logarithms of the multipliers.

    The dual Σ|z| exp(sgn(z) G'θ) − c'θ is convex, and its gradient is G z − c: where constraints that overlap make
    rounds slow, Newton's method on it is quick. A step is halved until it lowers the dual.
    """
    G, signs = problem.G, np.sign(problem.z)
    total = np.zeros(len(c))
    for _ in range(_NEWTON):
        size = np.abs(z)
        gap = G @ z - c
        hessian = csc_array(G @ diags_array(size) @ G.T)
        ridge = 1e-12 * max(float(hessian.diagonal().max()), 1e-300)
        step = spsolve(hessian + ridge * eye_array(len(c)), -gap)
        growth = signs * (G.T @ step)
        largest = float(np.abs(growth).max(initial=0.0))
        if not np.isfinite(largest) or largest < 1e-13:
            break
        part = min(1.0, 2.0 / largest)
        while part > 1e-6 and size @ np.expm1(part * growth) - part * (c @ step) > 1e-4 * part * (gap @ step):
            part /= 2
        z *= np.exp(part * growth)
        total += part * step
    return total


def _move(problem: Constraints, z: Array, short: Array, c: Array) -> bool:
    """Move targets by half of what they miss times σ over the largest σ they are up against; tell if any moved.

    Up against a target are those that are missed too and share a cell with it.
    """
    size = np.maximum(np.abs(c), np.asarray(abs(problem.G) @ np.abs(z)))  # a target may be zero: a content, a balance
    relative_gap = np.abs(short) / np.where(size > 0, size, np.inf)
    missed = relative_gap > _MISSED * relative_gap.max(initial=0.0)
    G = problem.G
    owners = np.repeat(np.arange(G.shape[0]), np.diff(G.indptr))
    by_cell, largest = np.zeros(G.shape[1]), np.zeros(G.shape[0])
    np.maximum.at(by_cell, G.indices, np.where(missed, problem.spread, 0.0)[owners])
    np.maximum.at(largest, owners, by_cell[G.indices])
    moving = missed & (problem.spread > 0)
    c -= np.where(moving, short / 2 * np.minimum(problem.spread / np.where(largest > 0, largest, 1.0), 1.0), 0.0)
    return bool(moving.any())


def _classes(G: csr_array) -> list[Positions]:
    """Return constraints in classes to be scaled at once: a few whose members share no cell, then all others."""
    classes: list[list[int]] = []
    taken: list[Flags] = []
    others: list[int] = []
    for k in np.argsort(np.diff(G.indptr), kind="stable").tolist():  # small ones first: they share least
        cells = G.indices[G.indptr[k] : G.indptr[k + 1]]
        for members, used in zip(classes, taken, strict=True):
            if not used[cells].any():
                members.append(k)
                used[cells] = True
                break
        else:
            if len(classes) == _APART:
                others.append(k)
                continue
            used = np.zeros(G.shape[1], dtype=bool)
            used[cells] = True
            classes.append([k])
            taken.append(used)
    return [np.array(members, dtype=np.intp) for members in (*classes, others) if members]


@dataclass(frozen=True)
class _Class:
    """Constraints scaled at once: their cells one after the other, and whose each is.

    ``share`` is one over the largest number of them that have a cell in common: each does that part of its own scaling,
    since together they do all of it (simultaneous multiplicative updates converge under such weights).
    """

    members: Positions
    cells: Positions
    coefficients: Array
    owners: Positions
    exponents: Array
    share: float

    def short_of(self, z: Array, c: Array) -> Array:
        """Return c − g z of every constraint of the class."""
        found = np.bincount(self.owners, self.coefficients * z[self.cells], len(self.members))
        return np.asarray(c[self.members] - found)

    def scale(self, z: Array, c: Array) -> Array:
        """Scale z in place so that every constraint of the class holds; return the logarithms of the multipliers.

        f(θ) = Σ g z exp(sgn(z) g θ) − c rises in θ, so Newton's method from θ = 0, with steps of at most two, finds
        the root where there is one; without one θ runs away, and the residual shows it.
        """
        count, wanted = len(self.members), c[self.members]
        pulls = self.coefficients * z[self.cells]
        slopes = np.abs(self.coefficients * pulls)
        theta = np.zeros(count)
        for _ in range(_NEWTON):
            growth = np.exp(self.exponents * theta[self.owners])
            gap = np.bincount(self.owners, pulls * growth, count) - wanted
            slope = np.bincount(self.owners, slopes * growth, count)
            move = np.divide(-gap, slope, out=np.sign(-gap) * 2.0, where=slope > np.abs(gap) / 2)
            theta = np.clip(theta + np.clip(move, -2.0, 2.0), -_FAR, _FAR)
            if np.abs(np.where(gap == 0, 0.0, move)).max(initial=0.0) < 1e-14:
                break
        theta *= self.share
        powers = np.bincount(self.cells, self.exponents * theta[self.owners], len(z))
        z *= np.exp(powers)
        return theta


def _class(problem: Constraints, members: Positions) -> _Class:
    part = csr_array(problem.G[members])
    owners = np.repeat(np.arange(len(members)), np.diff(part.indptr))
    signs = np.sign(problem.z[part.indices])
    shared = np.bincount(part.indices).max(initial=1)
    return _Class(members, part.indices.astype(np.intp), part.data, owners, signs * part.data, 1.0 / shared)
