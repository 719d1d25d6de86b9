"""Which share of an industry's exports comes from where it works for export: INEGI's tables of states."""

import warnings
from pathlib import Path

import numpy as np

from nearshore_io.classifications import divisions, links, list_of
from nearshore_io.errors import FormatError, first_few
from nearshore_io.files import readable
from nearshore_io.solvers.base import Array

LIST = "scian-mip-2018"
_EXPORTS = "_d_p_6_exportaciones_de_bienes_y_servicios"


def export_plants(
    path: Path, sectors: tuple[str, ...], chosen: tuple[str, ...], threshold: float, floor: float = 0.0
) -> dict[str, float]:
    """Return, by sector, the share of exports from states' industries that export ``threshold`` or more of output.

    Parameters
    ----------
    path : INEGI's bi-regional tables of 2018 (a state and the rest of the country, 35 industries).
    chosen : the sectors wanted; a sector has the share of the industries it shares divisions of ISIC with, and
        ``floor`` at least.

    Raises
    ------
    StorageError, FormatError
        A missing file, or one that is not laid out as these tables are.
    """
    exports, output = _by_state(path)
    total = exports.sum(axis=0)
    working = np.where(exports >= threshold * output, exports, 0.0).sum(axis=0)
    codes = list(divisions(LIST))
    to = links(LIST, list_of(sectors))
    found = {}
    for code in chosen:
        linked = [i for i, name in enumerate(codes) if code in to[name]]
        weight = sum(total[i] for i in linked)
        if weight > 0:
            found[code] = max(float(sum(working[i] for i in linked) / weight), floor)
    if not found:
        raise FormatError(f"{path}: none of {first_few(chosen)} is among its industries ({list_of(sectors)}).")
    return {code: share for code, share in found.items() if share > 0}


def _by_state(path: Path) -> tuple[Array, Array]:
    """Return exports and output, (states, 35 industries in the list's order), million pesos."""
    import rdata

    file = readable(path)
    codes = list(divisions(LIST))
    exports, output = [], []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the file names R classes the reader does not need
            tables = rdata.read_rds(str(file))
        for frame in tables.values():
            own = [str(key) for key in frame["row_keys"]][: len(codes)]
            order = [next(i for i, key in enumerate(own) if key.endswith(f"_{code}")) for code in codes]
            body = frame.drop(columns="row_keys").to_numpy(dtype=np.float64)
            column = next(i for i, name in enumerate(frame.columns) if str(name).endswith(_EXPORTS))  # the state's own
            exports.append(body[order, column])
            output.append(body[:, order].sum(axis=0))
    except (KeyError, ValueError, TypeError, AttributeError, StopIteration, EOFError) as error:
        raise FormatError(f"{file} does not hold the tables of the states: {error}.") from error
    return np.array(exports), np.array(output)
