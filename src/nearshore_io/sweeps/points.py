"""The points of a sweep: what every parameter is in every scenario, block by block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nearshore_io.solvers.base import Array
from nearshore_io.stores.encode import shown
from nearshore_io.units import is_number

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """One parameter at k points: a list of options with a code for each point, or a number for each point.

    Attributes
    ----------
    options : the values there are, as they were written; empty where every point has a number of its own.
    codes : which option, shape (k,); of drawn values their own place.
    numbers : the value of each point, shape (k,), where all are numbers.
    """

    options: Sequence[Any]
    codes: Codes
    numbers: Array | None

    @classmethod
    def of_options(cls, options: Sequence[Any], codes: Codes) -> "Column":
        """Return a column of listed values."""
        numeric = all(is_number(option) for option in options)
        numbers = np.array(options, dtype=np.float64)[codes] if numeric else None
        return cls(options, codes, numbers)

    @classmethod
    def drawn(cls, values: Any) -> "Column":
        """Return a column of values that were drawn, an array (k,) or a list."""
        codes = np.arange(len(values), dtype=np.int64)
        if isinstance(values, np.ndarray):
            return cls((), codes, values)
        return cls(values, codes, None)

    def value(self, i: int) -> Any:
        """Return the value of point i."""
        if self.numbers is not None and not self.options:
            return float(self.numbers[i])
        return self.options[self.codes[i]]

    def shown(self, name: str) -> dict[str, list[Any]]:
        """Return the values of all points as numbers or text, for a table of scenarios; shares by name apart."""
        if self.numbers is not None:
            return {name: list(self.numbers.tolist())}
        codes = self.codes.tolist()
        first = self.options[0] if self.options else None
        if isinstance(first, Mapping) and all(isinstance(share, float) for share in first.values()):
            return {f"{name} {key}": [float(self.options[code].get(key, 0.0)) for code in codes] for key in first}
        texts = [shown(option) for option in self.options]
        return {name: [texts[code] for code in codes]}


@dataclass(frozen=True)
class Points:
    """A block of k scenarios of a sweep.

    Attributes
    ----------
    numbers : the scenarios' numbers in the sweep, shape (k,).
    samples : the number of the draw of each, shape (k,); None where nothing is drawn.
    columns : every parameter that varies, by name.
    constants : every parameter that does not.
    """

    numbers: Codes
    samples: Codes | None
    columns: Mapping[str, Column]
    constants: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.numbers)

    def values(self, i: int) -> dict[str, Any]:
        """Return every parameter of point i."""
        return {**self.constants, **{name: column.value(i) for name, column in self.columns.items()}}

    def alike(self, names: Sequence[str]) -> tuple[Codes, Codes]:
        """Return the first point of each group that agrees in these parameters, and the group of every point."""
        key = np.zeros(len(self), dtype=np.int64)
        for name in names:
            codes = self.columns[name].codes
            key = key * (int(codes.max(initial=0)) + 1) + codes
        _, first, group = np.unique(key, return_index=True, return_inverse=True)
        return first.astype(np.int64), group.astype(np.int64)
