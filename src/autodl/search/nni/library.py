"""Imports NNI without its noise, or says which package is missing."""

from __future__ import annotations

import importlib
import io
import logging
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

from autodl.errors import MissingDependencyError

TUNERS = {
    "nni-tpe": "nni.algorithms.hpo.tpe_tuner",
    "nni-evolution": "nni.algorithms.hpo.evolution_tuner",
    "nni-gp": "nni.algorithms.hpo.gp_tuner",
    "nni-anneal": "nni.algorithms.hpo.hyperopt_tuner",
}
"""The module of each strategy that is a tuner; the others are in ``nni.nas.strategy``."""


def require(key: str) -> None:
    """Import what a strategy needs, quietly.

    Raises:
        MissingDependencyError: If a package is not installed.
    """
    try:
        _import(TUNERS.get(key, "nni.nas.strategy"))
        if key == "nni-nas-rl":  # NNI itself goes on without it and fails only later
            _import("gym")
            _import("tianshou.data")
    except ImportError as error:
        missing = (error.name or "nni").partition(".")[0]
        raise MissingDependencyError(
            f"the strategy '{key}' needs the package {missing}", "Install it with: pip install 'autodl[nni]'"
        ) from error


def _import(name: str) -> None:
    if name in sys.modules and sys.modules[name] is not None:
        return
    ours = "nni" not in sys.modules
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        nni = importlib.import_module("nni")
        if ours:  # who imported it before us may want its log
            nni.silence_stdout()
            logging.getLogger("nni").setLevel(logging.CRITICAL)
        # With its default, `nni.nas` would not load without PyTorch Lightning, which searching does not need.
        before = nni.get_default_framework()
        nni.set_default_framework("none")
        try:
            importlib.import_module(name)
        finally:
            nni.set_default_framework(before)
