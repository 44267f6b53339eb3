"""Checks the installed packages for known vulnerabilities by pip-audit, where it can reach its data.

Fails on a vulnerability that a newer version repairs, unless ``accepted-vulnerabilities.txt`` names it with a reason.
Run with the project's interpreter: ``.venv/bin/python .ci/audit.py``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).with_name("accepted-vulnerabilities.txt")
SECONDS = 60
NO_DATA = "pip-audit: no data reachable, skipped"


def accepted(text: str) -> dict[str, str]:
    """Reasons by vulnerability from lines ``ID REASON``; ``#`` begins a comment.

    Raises:
        ValueError: If a line has no reason.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.strip().partition(" ")
        if not reason.strip():
            raise ValueError(f"{ACCEPTED.name}: {name} has no reason")
        found[name] = reason.strip()
    return found


def judge(report: dict[str, Any], reasons: dict[str, str]) -> tuple[int, list[str]]:
    """Exit code and lines to print for the JSON report of pip-audit.

    Args:
        report: What ``pip-audit --format json`` prints.
        reasons: See ``accepted``.
    """
    packages = report["dependencies"]
    audited = [p for p in packages if "skip_reason" not in p]
    if not audited:
        return 0, [NO_DATA]
    code, lines = 0, [f"pip-audit: {len(audited)} of {len(packages)} packages checked"]
    for package in audited:
        for hole in package["vulns"]:
            names = {hole["id"], *hole.get("aliases", ())}
            reason = next((reasons[n] for n in sorted(names) if n in reasons), None)
            what = f"{package['name']} {package['version']}: {hole['id']}"
            if reason is not None:
                lines.append(f"accepted: {what} ({reason})")
            elif hole.get("fix_versions"):
                code = 1
                lines.append(f"VULNERABLE: {what}, repaired in {', '.join(hole['fix_versions'])}")
            else:
                lines.append(f"no repair yet: {what}")
    return code, lines


def main() -> int:
    """Run pip-audit and judge what it says."""
    reasons = accepted(ACCEPTED.read_text("utf-8"))
    command = [
        sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--format", "json",
        "--progress-spinner", "off",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        print(f"{NO_DATA} (no answer in {SECONDS} s)")
        return 0
    if not done.stdout.lstrip().startswith("{"):  # exit code 1 also means that something was found
        last = (done.stderr.strip().splitlines() or ["no output"])[-1][:200]
        if re.search("connect|timed? ?out|resolve|unreachable|proxy|HTTP", done.stderr, re.IGNORECASE):
            print(f"{NO_DATA} ({last})")
            return 0
        print(f"pip-audit failed: {last}")
        return 1
    code, lines = judge(json.loads(done.stdout), reasons)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
