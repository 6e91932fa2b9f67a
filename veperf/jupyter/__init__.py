"""JupyterLab: its launcher, and the cell magics."""
