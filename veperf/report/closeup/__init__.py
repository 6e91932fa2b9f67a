"""One benchmark of one run, from its verdict down to processes, samples and the machine."""

from veperf.report.closeup.focus import Focus, focus_on, ranked
from veperf.report.closeup.process import Process, processes
from veperf.report.closeup.view import Investigation

__all__ = ["Focus", "Investigation", "Process", "focus_on", "processes", "ranked"]
