"""What holds production back: caps on output, and deliveries that stop. Arrays only."""

from nearshore_io.limits.blockade import Blockade, Disruption, disrupted
from nearshore_io.limits.caps import Caps
from nearshore_io.limits.optimum import Optimum, optimum
from nearshore_io.limits.rationing import Rationed, rationed

__all__ = ["Blockade", "Caps", "Disruption", "Optimum", "Rationed", "disrupted", "optimum", "rationed"]
