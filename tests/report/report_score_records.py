"""Made-up records of how models did on the test rows: evaluation and explanation."""

from __future__ import annotations

import numpy as np

from autodl.records import (
    Comparison,
    Curve,
    EffectPoint,
    Evaluation,
    Explanation,
    Importance,
    Interval,
    Mistake,
    ModelScore,
    Residuals,
    Segment,
)


def interval(value: float, half: float, n: int) -> Interval:
    return Interval(value=value, low=value - half, high=value + half, n=n)


def evaluation_record(
    rng: np.random.Generator,
    kind: str,
    classes: tuple[str, ...],
    metric: str,
    n: int,
    columns: tuple[str, ...],
    value: str,
) -> Evaluation:
    k = len(classes)
    scale, sign = {"roc_auc": (1.0, 1), "log_loss": (1.0, -1), "rmse": (4000.0, -1)}[metric]
    table = [
        ("Ensemble", "ensemble", 0.13),
        ("CatBoost #3", "catboost", 0.135),
        ("LightGBM #2", "lightgbm", 0.137),
        ("Linear model #1", "linear", 0.15),
        ("Random forest #1", "forest", 0.17),
        ("Neural network (MLP) #1", "mlp", 0.19),
        ("Constant guess #1", "dummy", 0.5),
    ]
    half = 0.02 * (179 / n) ** 0.5 * 3

    def score(loss: float) -> Interval:
        v = (1 - loss if sign > 0 else loss) * scale
        return interval(v, half * scale, n)

    confusion: tuple[tuple[int, ...], ...] = ()
    extra: dict[str, dict[str, Interval]] = {}
    if k:
        sizes = [int(n * 0.62)] + [int(n * 0.38 / (k - 1))] * (k - 1)
        sizes[0] += n - sum(sizes)
        matrix = np.zeros((k, k), int)
        for i, s in enumerate(sizes):
            matrix[i] = rng.multinomial(s, [0.83 if i == j else 0.17 / (k - 1) for j in range(k)])
        confusion = tuple(tuple(int(v) for v in row) for row in matrix)
        acc = float(np.trace(matrix)) / n
        extra = {
            "Ensemble": {"accuracy": interval(acc, half, n), metric: score(0.13), "f1": interval(0.78, half, n)},
            "Constant guess #1": {"accuracy": interval(sizes[0] / n, half, n), metric: score(0.5)},
        }
    models = tuple(
        ModelScore(
            name=name,
            trial_id=None if i == 0 else f"t{i}",
            family=family,
            validation=score(loss - 0.005).value,
            test=score(loss),
            metrics=extra.get(name, {}),
            fit_s=1.2 + i,
            predict_ms_per_row=0.012 * (7 - i),
            size_bytes=4_200_000 // (i + 1),
            tied_with_leader=i in (1, 2, 3),
        )
        for i, (name, family, loss) in enumerate(table)
    )
    comparisons = tuple(
        Comparison(
            a="Ensemble",
            b=name,
            metric=metric,
            difference=(loss - 0.13) * scale,
            low=(loss - 0.13 - half / 2) * scale,
            high=(loss - 0.13 + half / 2) * scale,
            p_value=0.4 / (1 + i * i) if i < 4 else 1e-12,
            p_holm=min(1.0, 1.2 / (1 + i)) if i < 4 else 6e-12,
            n=n,
            effect=(loss - 0.13) * 40,
            method="paired bootstrap",
            verdict="tie" if i < 4 else "better",
        )
        for i, (name, _, loss) in enumerate(table)
        if i
    )
    grid = np.linspace(0, 1, 101)
    labels = classes[1:2] if k == 2 else classes[:5]
    roc = tuple(Curve(label=c, x=tuple(grid), y=tuple(grid ** (0.2 + 0.05 * i))) for i, c in enumerate(labels))
    pr = tuple(Curve(label=c, x=tuple(grid), y=tuple(1 - 0.5 * grid ** (3 - 0.4 * i))) for i, c in enumerate(labels))
    mid = np.linspace(0.05, 0.95, 10)
    calibration = (
        (
            Curve(
                label="Ensemble",
                x=tuple(mid),
                y=tuple(0.5 + 0.8 * (mid - 0.5)),
                low=tuple(0.42 + 0.8 * (mid - 0.5)),
                high=tuple(0.58 + 0.8 * (mid - 0.5)),
                counts=(18,) * 10,
            ),
        )
        if k
        else ()
    )
    residuals = None
    if not k:
        true = np.exp(rng.normal(7.8, 1.0, 900))
        predicted = true * np.exp(rng.normal(0, 0.12, 900))
        residuals = Residuals(
            true=tuple(true),
            predicted=tuple(predicted),
            typical=interval(271.3, 9.1, n),
            typical_guess=1830.0,
            quantiles={"50 in 100 within": 271.3, "90 in 100 within": 1100.2},
        )
    mistakes = tuple(
        Mistake(
            row=17 * i,
            true=classes[0] if k else "326",
            predicted=classes[1] if k else "1200",
            confidence=0.99 - 0.01 * i if k else None,
            values={c: (value if j % 2 else 3.25) for j, c in enumerate(columns[:6])},
        )
        for i in range(8)
    )
    return Evaluation(
        metric=metric,
        n_train=n * 4,
        n_test=n,
        leader="Ensemble",
        baseline="Constant guess #1",
        models=models,
        comparisons=comparisons,
        recommended="Linear model #1",
        recommended_why="It is tied with the ensemble and 40 times faster.",
        classes=classes,
        confusion=confusion,
        roc=roc if k else (),
        pr=pr if k else (),
        calibration=calibration,
        calibration_error=interval(0.081, 0.02, n) if k else None,
        residuals=residuals,
        segments=(
            Segment(
                column=columns[0],
                value=value,
                n=63,
                score=score(0.25),
                rest=score(0.11).value,
                p_value=0.001,
                p_holm=0.004,
            ),
        ),
        mistakes=mistakes,
        optimism=interval(0.012 * scale, 0.005 * scale, n),
        notes=(),
    )


def explanation_record(
    rng: np.random.Generator, columns: tuple[str, ...], classes: tuple[str, ...], metric: str, regression: bool
) -> Explanation:
    scale = 4000.0 if regression else 1.0
    what = "price" if regression else f"'{classes[-1]}'"
    items = []
    for i, c in enumerate(columns):
        drop = 0.2 * 0.6**i * scale
        numeric = bool(i % 2)
        xs = np.linspace(1, 70, 9)
        effect = (
            tuple(
                EffectPoint(
                    value=f"{x:g}" if numeric else f"group {j}",
                    number=float(x) if numeric else None,
                    prediction=float((0.4 + 0.3 * np.sin(i + j / 4)) * scale),
                )
                for j, x in enumerate(xs if numeric else xs[:4])
            )
            if i < 6
            else ()
        )
        items.append(
            Importance(
                column=c,
                drop=drop,
                low=drop * 0.85 if i < 6 else -0.001,
                high=drop * 1.15 + 0.001,
                effect=effect,
                direction=f"higher {c}: more likely {what}" if numeric else "",
            )
        )
    return Explanation(
        metric=metric,
        model="Ensemble",
        n_rows=1000,
        n_repeats=5,
        importances=tuple(items),
        positive_class=None if regression else classes[-1],
    )
