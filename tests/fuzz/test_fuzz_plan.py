"""``autodl plan`` on odd and damaged tables: a plan, or one line that says what is wrong and what to do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fuzz_frames import VALUES, FrameSpec, frame_specs
from fuzz_runs import plan_file, plan_frame
from fuzz_tables import FRAME_FORMATS, TEXT_FORMATS, TableSpec, render, table_specs, target_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

STEADY = settings(
    derandomize=True, deadline=None, database=None, print_blob=False, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def check(spec: TableSpec, folder: Path) -> str:
    """Plan the file of a specification; fails with all that is known if it did not end as promised."""
    name, content = render(spec)
    path = folder / name
    path.write_bytes(content)
    target = target_of(spec)
    outcome = plan_file(path, *(["--target", target] if target is not None else []), "--task", spec.task)
    path.unlink()
    assert outcome.good, f"{outcome.kind}: {outcome.what}\n{outcome.detail}"
    return outcome.kind


@settings(STEADY, max_examples=150)
@given(spec=table_specs(TEXT_FORMATS))
def test_text_of_any_kind_is_planned_or_refused_in_one_line(spec: TableSpec, tmp_path: Path) -> None:
    check(spec, tmp_path)


@settings(STEADY, max_examples=80)
@given(spec=table_specs(FRAME_FORMATS))
def test_files_of_other_formats_are_planned_or_refused_in_one_line(spec: TableSpec, tmp_path: Path) -> None:
    check(spec, tmp_path)


@settings(STEADY, max_examples=120)
@given(spec=frame_specs())
def test_frames_of_any_values_are_planned_or_refused(spec: FrameSpec) -> None:
    outcome = plan_frame(spec.frame(), spec.target)
    assert outcome.good, f"{outcome.kind}: {outcome.what}\n{outcome.detail}"


@pytest.mark.parametrize("kind", sorted(VALUES))
def test_each_kind_of_values_beside_a_plain_target(kind: str) -> None:
    spec = FrameSpec(("text_few_integers", kind, "float32"), 30, 7, odd_names=False, index="plain", target="c0")
    outcome = plan_frame(spec.frame(), spec.target)
    assert outcome.good, f"{outcome.kind}: {outcome.what}\n{outcome.detail}"


@settings(STEADY, max_examples=60)
@given(head=st.binary(max_size=300), suffix=st.sampled_from((".csv", ".json", ".xlsx", ".parquet", ".csv.gz", "")))
def test_any_bytes_are_planned_or_refused(head: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bytes{suffix}"
    path.write_bytes(head)
    outcome = plan_file(path)
    path.unlink()
    assert outcome.good, f"{outcome.kind}: {outcome.what}\n{outcome.detail}"


def test_the_generator_reaches_both_ends(tmp_path: Path) -> None:
    """If nearly all tables were refused (or none), the tests above would say little."""
    ends: Counter[str] = Counter()

    @settings(STEADY, max_examples=60)
    @given(spec=table_specs(("csv",)))
    def count(spec: TableSpec) -> None:
        ends[check(spec, tmp_path)] += 1

    count()
    assert ends["ok"] >= 10
    assert ends["refused"] >= 10
