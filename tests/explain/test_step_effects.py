"""Which parts of a series its answer rests on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.explain.step_effects import LEAST_PARTS, MOST_PARTS, parts_in_time, step_effects, without_part
from autodl.media.array import MediaArray
from autodl.media.batch import ABSENT
from autodl.media.memory import SeriesList


def frame(series: list[np.ndarray]) -> pd.DataFrame:
    store = SeriesList([np.asarray(s, np.float32).reshape(len(s), -1) for s in series])
    return pd.DataFrame({"n": np.arange(len(series)), "s": MediaArray.whole(store)})


def bumps(rows: pd.DataFrame) -> np.ndarray:
    """(n, 2) a model that looks at steps 50 to 59 alone: is there a bump?"""
    sure = np.array([np.clip(cell[50:60, 0].mean(), 0, 1) for cell in rows["s"].array])
    return np.stack([1 - sure, sure], axis=1)


def test_only_the_part_that_the_model_looks_at_has_an_effect() -> None:
    series = np.zeros(120)
    series[50:60] = 1.0
    found = step_effects(bumps, frame([np.zeros(120), series]), "s", [1], [1])
    assert found.shape == (1, MOST_PARTS)  # of 5 steps each
    np.testing.assert_allclose(found[0, 10:12], 5 / 6, atol=0.2)
    assert found[0].argmax() in (10, 11) and found[0, [0, 1, 5, 20, 23]].tolist() == [0.0] * 5
    against = step_effects(bumps, frame([series]), "s", [0], [0])
    np.testing.assert_allclose(against, -found, atol=1e-6)


def test_numbers_rise_with_what_raises_them_and_rows_keep_their_other_columns() -> None:
    def model(rows: pd.DataFrame) -> np.ndarray:
        return np.array([cell[:, 0].max() for cell in rows["s"].array]) + 100.0 * rows["n"].to_numpy()

    series = [np.zeros(48), np.r_[np.zeros(40), np.full(8, 3.0)], np.r_[np.zeros(23), 7.0, np.zeros(24)]]
    found = step_effects(model, frame(series), "s", [2, 0], None)
    assert found[0].argmax() == 11 and found[0, 11] == pytest.approx(7.0) and not found[1].any()


def test_short_series_have_a_part_a_step_and_zeros_behind() -> None:
    cells = frame([np.arange(5.0), np.arange(60.0)])
    found = step_effects(lambda rows: np.array([len(c) for c in rows["s"].array]), cells, "s", [0, 1], None, 10)
    assert found.shape == (2, 10) and not found.any()

    def first(rows: pd.DataFrame) -> np.ndarray:
        return np.array([c[0, 0] for c in rows["s"].array], float)

    found = step_effects(first, cells, "s", [0], None, 10)
    assert (found[0, 0] < 0) and not found[0, 3:].any()  # a line in the place of 0 and 1 starts at 2


def test_empty_cells_elsewhere_do_not_matter() -> None:
    cells = frame([np.ones(60), np.ones(60)])
    cells["s"] = MediaArray(cells["s"].array.store, np.array([ABSENT, 1]))
    assert step_effects(bumps, cells, "s", [1], [1]).shape == (1, MOST_PARTS)


def test_a_line_leads_over_a_part_and_ends_go_on() -> None:
    values = np.stack([np.arange(12.0), np.arange(12.0) ** 2], axis=1)
    out = without_part(values, 2, 4)  # steps 3 to 11 with both neighbours
    np.testing.assert_array_equal(out[:3], values[:3])
    np.testing.assert_array_equal(out[3:], np.tile(values[2], (9, 1)))
    middle = without_part(values, 3, 6)  # steps 4 to 9
    np.testing.assert_allclose(middle[:, 0], values[:, 0])
    np.testing.assert_allclose(np.diff(middle[3:11, 1]), (100 - 9) / 7)
    gaps = np.where(np.arange(12)[:, None] == 3, np.nan, values)
    assert np.isfinite(without_part(gaps, 3, 6)[4:10]).all()
    assert np.isfinite(without_part(values[:2], 0, 2)).all()


def test_the_number_of_parts_follows_the_time() -> None:
    assert parts_in_time(1e9, 16) == MOST_PARTS
    assert parts_in_time(16 * 12, 16) == 11
    assert parts_in_time(16 * (LEAST_PARTS + 1), 16) == LEAST_PARTS
    assert parts_in_time(16 * LEAST_PARTS, 16) == 0 and parts_in_time(0.0, 3) == 0
