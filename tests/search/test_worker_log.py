from __future__ import annotations

import os
import subprocess
import sys

from autodl.search.runners import worker_log
from autodl.search.runners.worker_log import Told, captured


def test_all_that_a_process_writes_is_kept_and_nothing_gets_out():
    """In a process of its own, whose true outputs can be seen."""
    program = (
        "import os, sys, json\n"
        "from autodl.search.runners.worker_log import captured\n"
        "print('before', flush=True)\n"
        "with captured() as said:\n"
        "    print('print'); os.write(1, b'native\\n'); os.write(2, b'error\\n'); text = said()\n"
        "print('after:' + json.dumps(text), flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == 'before\nafter:"print\\nnative\\nerror\\n"\n'
    assert done.stderr == ""


def test_of_very_much_the_beginning_and_the_end_are_kept(capfd, monkeypatch):
    monkeypatch.setattr(worker_log, "MOST_BYTES", 20)
    with captured() as said:
        os.write(1, b"0123456789" + b"x" * 1000 + b"abcdefghij")
        text = said()
    assert text == "0123456789\n...\nabcdefghij"


def test_outputs_are_given_back_after_an_error(capfd):
    try:
        with captured():
            os.write(2, b"inside\n")
            raise ValueError
    except ValueError:
        os.write(1, b"outside\n")
    assert capfd.readouterr().out == "outside\n"


def test_each_line_is_told_once(capsys):
    told = Told()
    for text in ("a\nb\n", "b\n\nc", "a"):
        told.tell(text)
    assert capsys.readouterr().err == "[worker] a\n[worker] b\n[worker] c\n"


def test_a_traceback_is_told_whole(capsys):
    told = Told()
    for error in ("first", "second", "second"):
        told.tell(f"Traceback (most recent call last):\n  same line\nError: {error}\n")
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "Error" in line] == ["[worker] Error: first", "[worker] Error: second"]
    assert lines.count("[worker]   same line") == 2
