"""Records: the values that flow between the stages and are written to the run folder."""

from autodl.records.base import SCHEMA_VERSION, JsonScalar, Record, StageRecord, encodable
from autodl.records.column import (
    OBJECTS,
    ColumnInfo,
    ColumnKind,
    ImageStats,
    NumericStats,
    ParseRule,
    SeriesRule,
    SeriesStats,
    TableSchema,
)
from autodl.records.ensemble import Calibration, Compared, Ensemble, Member
from autodl.records.evaluation import (
    Comparison,
    Curve,
    Evaluation,
    Interval,
    IntervalCheck,
    LevelCheck,
    Mistake,
    ModelScore,
    QuantileCheck,
    QuantileRows,
    Residuals,
    Segment,
)
from autodl.records.examples import Examples, ShownExample, TermEffect, WordEffects
from autodl.records.explanation import EffectPoint, Explanation, Importance
from autodl.records.finding import Finding, Severity
from autodl.records.front import Footprint, Front, FrontPoint, Limits
from autodl.records.more_time import MoreTime
from autodl.records.plan import Decision, FamilyPlan, Plan, Skipped, Validation
from autodl.records.profile import Profile, ReadInfo, RowSample, TargetInfo
from autodl.records.recipe import Recipe
from autodl.records.run import BudgetUse, FindingRow, FrontRow, LeaderboardRow, RunRecord, StageTime, TestScore
from autodl.records.task import Modality, Task
from autodl.records.trial import (
    ArtifactRef,
    Cost,
    CurvePoint,
    Proposal,
    TrialResult,
    TrialSpec,
    TrialStatus,
    together,
)  # fmt: skip

__all__ = [
    "OBJECTS",
    "SCHEMA_VERSION", "ArtifactRef", "BudgetUse", "Calibration", "ColumnInfo", "ColumnKind", "Compared", "Comparison",
    "Cost", "Curve", "CurvePoint", "Decision", "EffectPoint", "Ensemble", "Evaluation", "Examples", "Explanation",
    "FamilyPlan", "Finding", "FindingRow", "Footprint", "Front", "FrontPoint", "FrontRow", "ImageStats", "Importance",
    "Interval",
    "IntervalCheck", "JsonScalar", "LeaderboardRow", "LevelCheck", "Limits", "Member", "Mistake", "Modality",
    "ModelScore", "MoreTime", "NumericStats", "ParseRule", "Plan", "Profile", "Proposal", "QuantileCheck",
    "QuantileRows", "ReadInfo", "Recipe", "Record", "Residuals", "RowSample", "RunRecord", "Segment", "SeriesRule",
    "SeriesStats", "Severity", "ShownExample", "TermEffect", "WordEffects",
    "Skipped", "StageRecord", "StageTime", "TableSchema", "TargetInfo", "Task", "TestScore", "TrialResult",
    "TrialSpec", "TrialStatus", "Validation", "encodable", "together",
]  # fmt: skip
