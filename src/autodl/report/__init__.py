"""The report of a run: one self-contained HTML page, verdict first."""

from autodl.report.write import write_report

__all__ = ["write_report"]
