"""The page in a real browser: fits a telephone, shows its verdict with scripts off, prints."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_records import make_records

from autodl.report import write_report

pytestmark = pytest.mark.browser

PROBE = """<script>addEventListener("load", () => {
  const frame = document.getElementById("page"), root = frame.contentDocument.documentElement,
    edge = root.clientWidth;
  const wide = [...frame.contentDocument.querySelectorAll("main *")].filter(e =>
    e.getBoundingClientRect().right > edge + 1 && !e.closest(".scroll, .plot, pre, svg"));
  document.title = "over " + (root.scrollWidth - edge) + " beyond " + wide.map(e => e.className || e.tagName);
});</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium is installed (apt-get install chromium)")


def browse(chromium: str, folder: Path, *flags: str) -> str:
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        "--disable-dev-shm-usage", "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", *flags,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "long names"])
def test_no_part_runs_off_a_telephone(chromium: str, tmp_path: Path, kind: str) -> None:
    if kind == "long names":
        records = make_records(
            "multiclass",
            columns=tuple("c" * 200 + str(i) for i in range(12)),
            classes=tuple("k" * 90 + str(i) for i in range(26)),
            target="t" * 200,
            value="v" * 300,
        )
    else:
        records = make_records(kind)
    write_report(tmp_path, **records.kwargs())
    # A frame, because a headless window is never narrower than 500 pixels.
    frame = '<!doctype html><body style="margin:0"><iframe id="page" src="report.html" width="360" height="800"'
    (tmp_path / "frame.html").write_text(f'{frame} style="border:0"></iframe>{PROBE}')
    dom = browse(chromium, tmp_path, "--dump-dom", (tmp_path / "frame.html").as_uri())
    assert re.search(r"<title>over 0 beyond </title>", dom), re.findall(r"<title>.*?</title>", dom)


@pytest.mark.slow
def test_everything_reads_with_scripts_off(chromium: str, tmp_path: Path) -> None:
    page = write_report(tmp_path, **make_records("binary").kwargs())
    source = page.read_text("utf-8")
    page.write_text(re.sub(r"script-src 'sha256-[^']+'", "script-src 'none'", source), "utf-8")
    dom = browse(chromium, tmp_path, "--dump-dom", page.as_uri())
    assert "Of 179 rows held back" in dom
    assert dom.count("<figure") == source.count("<figure")


@pytest.mark.slow
def test_it_prints(chromium: str, tmp_path: Path) -> None:
    page = write_report(tmp_path, **make_records("regression").kwargs())
    browse(chromium, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}", page.as_uri())
    pdf = (tmp_path / "page.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 25


RUN = "document.title='ran'"
HOSTILE = f'</title></script><script>{RUN}</script>"><img src=x onerror="{RUN}">{{{{7*7}}}}'


@pytest.mark.slow
def test_nothing_that_stands_in_the_data_runs(chromium: str, tmp_path: Path) -> None:
    names = tuple(f"{HOSTILE}{i}" for i in range(4))
    records = make_records("multiclass", columns=names, classes=names[:3], target=HOSTILE, value=HOSTILE)
    page = write_report(tmp_path, **records.kwargs())
    dom = browse(chromium, tmp_path, "--dump-dom", page.as_uri())
    assert "<title>ran</title>" not in dom
    assert not re.search(r"<img\b", dom)
    assert dom.count("<script") == 1


@pytest.mark.slow
def test_the_pages_own_script_runs_and_no_other(chromium: str, tmp_path: Path) -> None:
    page = write_report(tmp_path, **make_records("binary").kwargs())
    source = page.read_text("utf-8")
    probe = "document.documentElement.dataset.own='ran';"
    own = re.search(r"<script>(.*?)</script>", source, re.DOTALL)
    assert own is not None
    page.write_text(source.replace("</body>", f"<script>{probe}</script></body>"), "utf-8")
    assert "data-own" not in browse(chromium, tmp_path, "--dump-dom", page.as_uri()), "a script without the hash ran"
    digest = base64.b64encode(hashlib.sha256(own[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in source
