"""Calls that can run what stands in a file or in text stand in known places only."""

from __future__ import annotations

import ast
from pathlib import Path

import autodl

PACKAGE = Path(autodl.__file__).parent
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads",
    "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads", "joblib.load", "dill.load", "dill.loads",
    "marshal.load", "marshal.loads", "shelve.open", "torch.load", "torch.jit.load", "yaml.load", "yaml.unsafe_load",
    "yaml.full_load", "pd.read_pickle", "pandas.read_pickle", "pd.eval", "subprocess.run", "subprocess.Popen",
    "subprocess.call", "subprocess.check_output", "subprocess.check_call", "importlib.import_module", "os.execv",
    "os.execvp", "os.spawnv", "multiprocessing.connection.Client",
}  # fmt: skip
METHODS = {"extractall", "extract"}
"""Methods that write where an archive says."""
KNOWN = {
    # Opens what ``may_unpickle`` allows: made by this process, or trusted by the user.
    "serialize/pickled.py": {"pickle.loads"},
    # The family whose own files are pickles; its archive is unpacked with the filter "data", after the same check.
    "models/autogluon.py": {"extractall"},
    # From this process to its own workers, through a file without a name.
    "search/runners/shared_data.py": {"pickle.loads"},
    # Between this process and the workers that it has started on a cluster that the user has named.
    "search/runners/ray_crew.py": {"pickle.loads"},
    "search/runners/ray_worker.py": {"pickle.loads"},
    # The user's own function, from this process to one that it started, through a pipe.
    "search/objective_process.py": {"pickle.loads"},
    # Batteries: there and back within one function.
    "testing/families.py": {"pickle.loads"},
    "testing/preparers.py": {"pickle.loads"},
    # Weights of an installed package, as tensors only (``weights_only``).
    "pretrained/efficientnet_lite0.py": {"torch.load"},
    # Modules named in this package's own tables, or found in its own folders; never in a file of the user.
    "__init__.py": {"importlib.import_module"},
    "data/__init__.py": {"importlib.import_module"},
    "registry.py": {"importlib.import_module"},
    "search/__init__.py": {"importlib.import_module"},
    "search/nni/library.py": {"importlib.import_module"},
    "serialize/allowed.py": {"importlib.import_module"},
    # This Python with fixed arguments, without a shell.
    "doctor.py": {"subprocess.Popen"},
    "footprint.py": {"subprocess.run"},
    "search/evaluators.py": {"subprocess.Popen"},
    "search/runners/child.py": {"subprocess.Popen"},
}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name or attribute."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def dangerous(tree: ast.AST) -> set[str]:
    """Dangerous calls in a syntax tree, also those that are only named (handed on as a function)."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node) in CALLS:
            found.add(dotted(node))
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{a.name}" for a in node.names} & CALLS
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name in CALLS:
            found.add(name)
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            found.add(node.func.attr)
        given = {k.arg: k.value for k in node.keywords}
        for risky in ("allow_pickle", "shell"):
            value = given.get(risky)
            if value is not None and not (isinstance(value, ast.Constant) and value.value is False):
                found.add(f"{name}({risky})")
        if name in ("np.load", "numpy.load") and "allow_pickle" not in given:
            found.add(f"{name} without allow_pickle=False")
    return found


def test_the_search_finds_what_it_looks_for() -> None:
    for text in ("import pickle\npickle.loads(b'')", "from pickle import loads", "f = pickle.loads", "eval('1')",
                 "np.load(p)", "np.load(p, allow_pickle=True)", "subprocess.run('ls', shell=True)", "t.extractall()",
                 "torch.load(p)", "yaml.load(t, Loader)"):  # fmt: skip
        assert dangerous(ast.parse(text)), text
    assert not dangerous(ast.parse("np.load(p, allow_pickle=False); yaml.safe_load(t); re.compile('x')"))


def test_dangerous_calls_stand_in_known_places_only() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 150
    found = {str(p.relative_to(PACKAGE)): dangerous(ast.parse(p.read_text("utf-8"))) for p in files}
    assert {place: calls for place, calls in found.items() if calls} == KNOWN
