"""The stub of the package says what the code says, keywords of options included."""

import inspect
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import veperf
from tests import stubs

if TYPE_CHECKING:
    # mypy reports a comment that ignores nothing, so that each of these must be an error.
    veperf.ab("HEAD", fail_over=0.05, time_budget_s="10m", modules=["mine"])
    veperf.ab("HEAD", fail_ovr=3)  # type: ignore[call-arg]
    veperf.run("transaction", profile="fast")  # type: ignore[arg-type]
    veperf.run_load("transaction/load", {"rate": 8_000}, seconds="5s", shards=2)
    veperf.run_load(shards="two")  # type: ignore[arg-type]
    veperf.ab("HEAD").exit_cod()  # type: ignore[attr-defined]


def test_the_stub_is_in_step() -> None:
    """If not: `python -m tests.stubs` writes it anew."""
    assert stubs.expected() == stubs.STUB.read_text(encoding="utf-8")


def test_every_public_name_stands_once() -> None:
    """In the stub, which the package reads; and each is there to import."""
    text = stubs.STUB.read_text(encoding="utf-8")
    names = re.findall(r"^(?:from \S+ import \w+ as|def) (\w+)", text, re.MULTILINE)

    assert len(names) == len({*names})
    assert {*names} == {*stubs.MODULE_OF}
    assert not [name for name in names if not hasattr(veperf, name)]


@pytest.mark.parametrize("name", ["cpu", "memory"])
def test_a_public_module_can_be_imported_by_its_name(name: str) -> None:
    """It is the one that is an attribute of the package, whichever comes first."""
    by_name = import_module(f"veperf.{name}")

    assert by_name is getattr(veperf, name)
    assert by_name.profile.__name__ == f"profile_{name}"


@pytest.mark.parametrize("name", stubs.keyword_functions())
def test_a_signature_names_all_keywords(name: str) -> None:
    """Those of its options, and its own."""
    text = stubs.STUB.read_text(encoding="utf-8")
    match = re.search(rf"^def {name}\(.*?^\)", text, re.MULTILINE | re.DOTALL)

    assert match is not None
    assert [*inspect.signature(getattr(veperf, name)).parameters] == re.findall(
        r"^    \*?(\w+):", match[0], re.MULTILINE
    )
