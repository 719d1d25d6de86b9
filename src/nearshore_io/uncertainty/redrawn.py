"""A table with other coefficients: outputs follow from its final demand, and all its identities hold."""

from collections.abc import Callable, Mapping

from nearshore_io.solvers.base import Array
from nearshore_io.solvers.dense import DenseLU
from nearshore_io.table import IOTable

Draw = Callable[[int, int], IOTable]
"""What draws a table around one, from a seed and the number of the draw: the same for the same two."""


def with_coefficients(table: IOTable, A: Array, Y: Array, inputs: Mapping[str, Array], note: str) -> IOTable:
    """Return a table of coefficients A, final demand Y and primary inputs per unit of output, Z = A x̂, x = (I − A)⁻¹ y.

    What stressors take per unit of output, and what final users pay in taxes, stay as they are.

    Raises
    ------
    SolverError
        If ρ(A) ≥ 1, which columns that sum to less than one cannot have.
    """
    x = DenseLU().factorise(A).solve(Y.sum(axis=1))
    growth = table.per_output(x)
    return table.with_numbers(
        Z=A * x,
        Y=Y,
        inputs={name: values * x for name, values in inputs.items()},
        stressors={name: (values * growth, unit) for name, (values, unit) in table.stressors.items()},
        meta=table.moved(note),
        final_inputs=table.paid_by_final_users,
    )
