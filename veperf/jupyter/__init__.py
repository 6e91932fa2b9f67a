"""JupyterLab: its launcher, the explorer, and the cell magics."""
