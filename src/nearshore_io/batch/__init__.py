"""Scenarios through the model: one labelled result for all of them, and the table as it stands after one."""

from nearshore_io.batch.counterfactual import counterfactual
from nearshore_io.batch.run import band, run
from nearshore_io.batch.totals import run_totals

__all__ = ["band", "counterfactual", "run", "run_totals"]
