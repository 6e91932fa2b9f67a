"""Starting JupyterLab."""

from veperf.lab.start import command

__all__ = ["command"]
