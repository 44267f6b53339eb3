"""Chinese, Japanese and Thai sentences: linear models by groups of characters, networks by characters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from autodl.models.base import Meta, families
from autodl.models.text_cnn import TextCnn
from autodl.preprocess import Preparer
from autodl.records import ColumnInfo, ColumnKind, TableSchema, Task

SPOKEN = {
    "chinese": (["这部电影", "演员", "故事", "音乐", "我觉得", "昨天"], ["好看", "精彩"], ["难看", "无聊"]),
    "japanese": (
        ["この映画は", "俳優が", "物語も", "音楽と", "昨日の"],
        ["おもしろい", "最高"],
        ["つまらない", "退屈"],
    ),
    "thai": (["ภาพยนตร์", "นักแสดง", "เรื่องราว", "เพลง", "เมื่อวาน"], ["สนุก", "ดีมาก"], ["น่าเบื่อ", "แย่มาก"]),
}
"""Words that say nothing, that praise and that blame; without spaces between them."""


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def sentences(language: str, n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    filler, *says = SPOKEN[language]
    rng = np.random.default_rng(seed)
    y, said = rng.integers(0, 2, n), []
    for k in y:
        words = list(rng.choice(filler, rng.integers(3, 7)))
        words.insert(int(rng.integers(len(words) + 1)), rng.choice(says[1 - k]))
        said.append("".join(words) + "。")
    return pd.DataFrame({"said": np.array(said, dtype=object)}), y


def auc(key: str, language: str, rows: int, **settings: object) -> float:
    (frame, y), (new, wanted) = sentences(language, rows, 0), sentences(language, 150, 1)
    column = ColumnInfo(name="said", kind=ColumnKind.TEXT, n=rows, n_missing=0, n_unique=rows)
    family = families[key]
    preparer = Preparer(family.recipe, TableSchema(columns=(column,)), Task.CLASSIFICATION)
    model = family().build(family.config(**settings), Meta(Task.CLASSIFICATION, 2, threads=1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model.fit(preparer.fit_transform(frame, y), y)
    return float(roc_auc_score(wanted, model.predict_proba(preparer.transform(new))[:, 1]))


@pytest.mark.parametrize("language", SPOKEN)
def test_linear_models_read_groups_of_characters(language: str) -> None:
    assert auc("linear", language, 120) > 0.95


@pytest.mark.parametrize("language", SPOKEN)
def test_networks_read_characters(language: str) -> None:
    assert auc(TextCnn.key, language, 240, embed=24, filters=24, lr=0.01, epochs=8, batch_size=48) > 0.9
