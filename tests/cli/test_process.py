"""What only a process of its own shows: start-up, streams, signals, terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FAKE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import autodl.pipeline
from cli_fakes import fake_fit
autodl.pipeline.run_fit = fake_fit
from autodl.__main__ import main
sys.exit(main())
"""
BLOCKED = FAKE.replace(
    "autodl.pipeline.run_fit = fake_fit",
    "import ctypes\nclass Sleep:\n    def is_set(self):\n        ctypes.CDLL(None).sleep(120)\n        return True\n"
    "autodl.pipeline.run_fit = lambda *a, stop, **k: fake_fit(*a, stop=Sleep(), **k)",
)
"""Hears no request to stop, as native code does not."""
WITNESSED = FAKE.replace(
    "autodl.pipeline.run_fit = fake_fit",
    "from pathlib import Path\nclass Told:\n    def __init__(self, stop):\n        self.stop = stop\n"
    "    def is_set(self):\n        Path('begun').touch()\n        return self.stop.is_set()\n"
    "autodl.pipeline.run_fit = lambda *a, stop, **k: fake_fit(*a, stop=Told(stop), **k)",
)
"""Leaves a file once it may be asked to stop."""

IN_BACKGROUND = """
import os, pty, sys, termios
child, screen = pty.fork()  # a shell with a terminal ...
if child == 0:
    job = os.fork()  # ... and a job of it
    if job == 0:
        from autodl.cli.live import _ControlEcho
        echo = _ControlEcho()
        if sys.argv[1] == "later":
            echo.hide()  # still in the foreground
        os.setpgid(0, 0)
        if sys.argv[1] == "from the start":
            echo.hide()
        echo.restore()
        os._exit(bool(termios.tcgetattr(0)[3] & termios.ECHOCTL) - 1)
    _, status = os.waitpid(job, os.WUNTRACED)
    os._exit(3 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))
try:
    while os.read(screen, 1000):
        pass
except OSError:  # the end, on Linux
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("when", ["from the start", "later"])
def test_a_job_in_the_background_is_not_stopped_by_the_terminal(when: str) -> None:
    done = subprocess.run([sys.executable, "-c", IN_BACKGROUND, when], timeout=60, check=False)
    assert done.returncode == 0


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "slow.csv"
    path.write_text("a,b\n1,2\n")
    return path


def start(arguments: list[str], cwd: Path, fake: str = FAKE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", fake, *arguments],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} never came: {seen}")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom autodl.__main__ import main\ncode = main(['--help'])\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'torch', 'ray', 'scipy', 'lightgbm', 'optuna', 'matplotlib', 'PIL',\n"
        "'transformers'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED [] 0" in done.stdout
    assert "Usage: autodl" in done.stdout


def test_json_is_one_document_whatever_libraries_print(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("a\n1\n")
    process = start(["fit", "shop.csv", "--out", "run", "--json"], tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["status"] == "done"
    assert err == ""
    assert (tmp_path / "run" / "log.txt").read_text() == "noise on stdout\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_keeps_the_best_so_far(table: Path, number: int) -> None:
    process = start(["fit", table.name, "--out", "run"], table.parent)
    read_until(process, "literal")
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopping: keeping the best so far" in out
    assert "stopped before the end" in out
    assert json.loads((table.parent / "run" / "run.json").read_text())["status"] == "interrupted"


def test_the_second_signal_ends_at_once_even_in_native_code(table: Path) -> None:
    process = start(["fit", table.name, "--out", "run"], table.parent, fake=BLOCKED)
    read_until(process, "literal")
    process.send_signal(signal.SIGINT)
    read_until(process, "stopping")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "autodl: stopped\n" in err  # nothing was written yet that one could go on from


def test_the_second_signal_is_heard_where_nobody_reads(table: Path) -> None:
    process = start(["fit", table.name, "--out", "run"], table.parent, fake=BLOCKED)
    read_until(process, "literal")
    assert process.stdout is not None
    process.stdout.close()  # as of ``| tee``, which the same Ctrl-C ends
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    process.kill()
    process.communicate()
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("json_asked", [True, False])
def test_what_goes_to_a_file_is_whole_though_the_terminal_is_closed(
    table: Path, json_asked: bool, number: signal.Signals
) -> None:
    """Whether or not the program hears of that: under ``nohup`` it does not."""
    place = table.parent
    main_end, child_end = pty.openpty()
    with (place / "told").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", WITNESSED, "fit", table.name, "--out", "run", *(["--json"] if json_asked else [])],
            cwd=place, stdin=subprocess.DEVNULL, stdout=told, stderr=child_end,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )  # fmt: skip
    os.close(child_end)
    until = time.monotonic() + 60
    while not (place / "begun").exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.close(main_end)
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    text = (place / "told").read_text()
    if json_asked:
        assert json.loads(text)["status"] == "interrupted"
    else:
        assert "stopping: keeping the best so far" in text and "run/report.html" in text


def on_terminal(arguments: list[str], cwd: Path, environment: dict[str, str]) -> str:
    """Run on a pseudo-terminal and return all that was written to it."""
    main_end, child_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", FAKE, *arguments],
        cwd=cwd, stdin=child_end, stdout=child_end, stderr=child_end,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(child_end)
    seen = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([main_end], [], [], 0.2)[0]:
            try:
                seen += os.read(main_end, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
    os.close(main_end)
    assert process.wait(timeout=10) == 0
    return seen.decode()


def test_a_terminal_gets_the_live_panel(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("a\n1\n")
    shown = on_terminal(["fit", "shop.csv", "--out", "run"], tmp_path, {"NO_COLOR": ""})
    assert "\x1b[?25l" in shown  # the cursor is hidden while the panel is drawn ...
    assert "\x1b[?25h" in shown  # ... and given back
    assert "noise on stdout" not in shown
    assert "run/report.html" in shown


def test_no_color_is_respected(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("a\n1\n")
    shown = on_terminal(["fit", "shop.csv", "--out", "run"], tmp_path, {"NO_COLOR": "1"})
    colours = [code for codes in re.findall(r"\x1b\[([\d;]*)m", shown) for code in codes.split(";")]
    assert not [c for c in colours if c and 30 <= int(c) <= 107]


@pytest.mark.parametrize("command", ["--help", "runs", "runs --json", "plan t.csv", "plan t.csv --json"])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, command: str) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(60)))
    line = f"{sys.executable} -m autodl {command} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0 or command == "--help"


def test_the_clock_starts_with_the_process() -> None:
    code = (
        "import time\ntime.sleep(0.5)\nfrom autodl.__main__ import process_start\n"
        "print(time.time() - process_start())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0.5 <= float(done.stdout) < 10.0
