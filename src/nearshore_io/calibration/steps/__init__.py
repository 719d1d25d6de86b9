"""The steps a recipe can have, one class each; ``do`` names them."""

from nearshore_io.calibration.steps.base import Context, Step, StepResult
from nearshore_io.calibration.steps.labour import LabourIncomeStep, LabourStep
from nearshore_io.calibration.steps.numbers import BalanceStep, CheckStep, CompareStep, ProjectStep
from nearshore_io.calibration.steps.reliability import EstimateStep, GradeStep
from nearshore_io.calibration.steps.shape import AggregateStep, ProcessingStep, SplitRegionStep, SplitSectorStep
from nearshore_io.calibration.steps.sources import ReadStep, WorldStep

KINDS: tuple[type[Step], ...] = (
    ReadStep, WorldStep, AggregateStep, SplitSectorStep, SplitRegionStep, ProcessingStep, ProjectStep, BalanceStep,
    CheckStep, CompareStep, LabourStep, LabourIncomeStep, GradeStep, EstimateStep,
)  # fmt: skip

__all__ = ["KINDS", "Context", "Step", "StepResult"]
