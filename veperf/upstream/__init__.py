"""VirtEngine's repository: what changed in it since the mapping and the targets were written."""
