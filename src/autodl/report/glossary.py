"""Words that need explaining, in plain language."""

GLOSSARY: tuple[tuple[str, str, str], ...] = (
    ("accuracy", "Accuracy", "The share of rows answered rightly."),
    (
        "balanced_accuracy",
        "Balanced accuracy",
        "The share answered rightly in each class, averaged, so that rare classes count as much as common ones.",
    ),
    ("brier", "Brier score", "How far stated probabilities are from what happened, squared; 0 is perfect."),
    (
        "calibration",
        "Calibration",
        "Whether stated probabilities come true: of all rows called “70 in 100”, about 70 in 100 should turn out so.",
    ),
    ("cross-validation", "Cross-validation", "Training several times, each time scoring on another part left out."),
    ("ensemble", "Ensemble", "Several models that answer together, as a weighted mean."),
    ("f1", "F1", "One number for precision and recall together: high only if both are."),
    (
        "fold",
        "Fold",
        "One of the parts that the rows for learning are cut into; each is left out in turn (see cross-validation).",
    ),
    (
        "front",
        "Pareto front",
        "The models that no other beats in everything at once; every other one is slower, less exact, or both.",
    ),
    (
        "guess",
        "Guess (baseline)",
        "The answer without looking at any column: always the same class (the most frequent one, or by scores "
        "such as F1 the one that scores best), or the middle value.",
    ),
    (
        "held-back",
        "Held-back rows (test rows)",
        "Rows set apart before anything else and opened once at the end, so that the score cannot flatter.",
    ),
    (
        "holm",
        "Holm correction",
        "Makes p-values stricter when many comparisons are made, since one of many will look good by luck.",
    ),
    (
        "importance",
        "Importance",
        "How much worse the model gets when one column is shuffled, so that it says nothing any more.",
    ),
    (
        "interval",
        "95 % interval",
        "The range that holds the true value in 95 of 100 such studies. Few rows give a wide interval.",
    ),
    (
        "kappa",
        "Quadratic weighted kappa",
        "Agreement of levels that have an order, such as stars, beyond chance; two levels off cost four times one.",
    ),
    (
        "latency",
        "Time for one row (latency)",
        "How long the model takes to answer for a single new row, as a service would ask it; many rows at once take "
        "far less time each.",
    ),
    ("leak", "Leak", "A column that gives the answer away and will not be known when the model is used."),
    (
        "log_loss",
        "Log loss",
        "Zero for probabilities that are certain and right; grows without limit for certain and wrong ones.",
    ),
    ("mae", "Mean absolute error", "How far off on average, in the units of the target."),
    ("mape", "MAPE", "Mean absolute percentage error: how far off on average, as a share of the true value."),
    (
        "mcc",
        "Matthews correlation",
        "How well answers and truth agree over all classes: 1 is perfect, 0 is guessing; fair to rare classes.",
    ),
    ("overfitting", "Overfitting", "Learning the training rows by heart instead of the rule behind them."),
    (
        "p",
        "p-value",
        "How often pure luck would give a difference at least this large. Small means: hardly luck. It does not "
        "measure size.",
    ),
    (
        "pr",
        "Precision and recall",
        "Of the rows flagged, how many rightly (precision); of those to find, how many found (recall).",
    ),
    (
        "pinball",
        "Pinball loss",
        "The price of a wrong quantile: for the 90 % quantile a true value above it costs nine times one below it.",
    ),
    (
        "prediction-interval",
        "Prediction interval",
        "Two numbers between which the true value of a single row lies, in the share of rows that the name says.",
    ),
    (
        "quantile",
        "Quantile",
        "The number below which a given share of the possible values lies: the median has half of them below it.",
    ),
    ("r2", "R²", "The share of the ups and downs of the target that is explained: 1 is perfect, 0 knows no column."),
    ("rmse", "RMSE", "Root-mean-square error, in the units of the target; large misses count more than small ones."),
    (
        "roc_auc",
        "ROC AUC",
        "Shown one row of each class, how often the model ranks them the right way round; 0.5 is a coin.",
    ),
    ("segment", "Group (segment)", "The rows in which a column has a certain value or range."),
    (
        "tie",
        "Tie",
        "A difference that the held-back rows cannot tell from luck. It does not prove that two models are equal.",
    ),
    ("trial", "Trial", "One kind of model with one choice of settings, trained and scored once."),
    ("validation", "Validation score", "The score by which the search chose. Choosing by it makes it too rosy."),
)
"""Key, term, meaning."""
