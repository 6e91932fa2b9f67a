"""Notebooks say what the options types and their template say."""

import pytest

from tests import notebooks

EXPECTED = notebooks.expected()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_notebook_is_in_step(name: str) -> None:
    """If not: `python -m tests.notebooks` writes it anew."""
    actual = (notebooks.FOLDER / f"{name}.py").read_text(encoding="utf-8")

    assert EXPECTED[name] == actual
