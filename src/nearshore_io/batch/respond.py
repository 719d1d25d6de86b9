"""Changes to responses, each by the route it needs."""

from collections.abc import Sequence

import numpy as np

from nearshore_io.batch.economy import direct_effect, economy_after
from nearshore_io.batch.held_back import blocked, capped, require_open
from nearshore_io.batch.response import Response, demand_responses, general_response
from nearshore_io.leontief import Leontief
from nearshore_io.scenarios import Change


def respond(model: Leontief, changes: Sequence[Change]) -> list[Response]:
    """Return the response to each change; demand-only changes are solved in one block."""
    block = [i for i, change in enumerate(changes) if change.only_demand]
    found: dict[int, Response] = {}
    if block:
        direct = np.array([direct_effect(model, changes[i]) for i in block]).T
        found = dict(zip(block, demand_responses(model, direct), strict=True))
    for i, change in enumerate(changes):
        if i not in found:
            found[i] = _single(model, change)
    return [found[i] for i in range(len(changes))]


def _single(model: Leontief, change: Change) -> Response:
    if change.blockade is not None:
        require_open(model, change)
        return blocked(model, change, change.blockade)
    with model.naming_industries():
        economy = economy_after(model, change)
    if change.caps is None:
        return general_response(model, change, economy)
    require_open(model, change)
    return capped(model, change, economy, general_response(model, change, economy), change.caps)
