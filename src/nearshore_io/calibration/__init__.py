"""Tables made and moved: recipes, targets, splits, projections, hold-outs, reliability."""

from nearshore_io.calibration.adjust import Adjusted, Outcome, adjust
from nearshore_io.calibration.calibrate import Calibration, calibrate
from nearshore_io.calibration.holdout import hold_out
from nearshore_io.calibration.labour import pay_per_job
from nearshore_io.calibration.processing import ProcessingSplit, split_processing
from nearshore_io.calibration.projection import Margins, Projection, margins_of, project
from nearshore_io.calibration.recipe import Recipe, read_recipe
from nearshore_io.calibration.report import write_calibration_report
from nearshore_io.calibration.splitting import Split, split_region, split_sector
from nearshore_io.calibration.targets import Target, read_targets
from nearshore_io.grades import Grade, graded, reliability

__all__ = [
    "Adjusted",
    "Calibration",
    "Grade",
    "Margins",
    "Outcome",
    "ProcessingSplit",
    "Projection",
    "Recipe",
    "Split",
    "Target",
    "adjust",
    "calibrate",
    "graded",
    "hold_out",
    "margins_of",
    "pay_per_job",
    "project",
    "read_recipe",
    "read_targets",
    "reliability",
    "split_processing",
    "split_region",
    "split_sector",
    "write_calibration_report",
]
