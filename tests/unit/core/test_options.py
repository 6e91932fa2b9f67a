"""An option is declared once, and is found wherever options can be set."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest.comparison import pair_rule
from veperf.abtest.run import ab, ab_commands
from veperf.abtest.selfcheck import selfcheck
from veperf.api.runs import compare
from veperf.api.sweep import ab_fleet
from veperf.cli.ab import ab_command
from veperf.cli.ci import CIOptions
from veperf.cli.load import load_command
from veperf.cli.options import options_of
from veperf.cluster.spec import ABSpec
from veperf.core.case import TIME
from veperf.core.errors import UsageError
from veperf.core.option_fields import (
    Options,
    Ratio,
    about,
    command_arguments,
    flat_names,
    keyword_options,
    notebook_parameters,
    option_fields,
    options_from,
    ratio_from_text,
    select_options,
)
from veperf.core.options import (
    ABOptions,
    CommandOptions,
    CompareOptions,
    EffectOptions,
    FleetOptions,
    GateOptions,
    LoadOptions,
    RunOptions,
    SelfCheckOptions,
    SoakOptions,
)
from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import LOOKS
from veperf.stats.paired import PairRule


@dataclass(frozen=True, kw_only=True)
class Brew(Options):
    """A small options type."""

    strength: Annotated[
        Ratio, Meta(gt=0, lt=1), about("Coffee in the water.", former=("dose", "dose_percent"))
    ] = 0.06
    steep_s: Annotated[float, Meta(gt=0), about("Wait so long.")] = 240.0


@dataclass(frozen=True, kw_only=True)
class MilkyBrew(Brew):
    """The same with one field more, which stands nowhere else."""

    milk: Annotated[Literal["none", "oat", "cow"], about("What goes in.")] = "none"


def test_a_new_field_is_a_command_line_option() -> None:
    """With help, default and choices."""

    @click.command()
    @options_of(MilkyBrew)
    def brew(options: MilkyBrew) -> None:
        click.echo(repr(options))

    rendered = CliRunner().invoke(brew, ["--help"]).output
    done = CliRunner().invoke(brew, ["--milk", "oat", "--strength", "7%", "--steep", "4m"])

    assert "--milk [none|oat|cow]" in rendered
    assert "What goes in." in rendered
    assert "[default: 6%]" in rendered
    assert f"{MilkyBrew(milk='oat', strength=0.07)!r}\n" == done.output
    assert 2 == CliRunner().invoke(brew, ["--milk", "goat"]).exit_code


def test_a_new_field_is_a_keyword() -> None:
    """It is in the signature and the documentation, and reaches the function checked."""

    @keyword_options
    def brew(*beans: str, options: MilkyBrew, cup: str = "") -> MilkyBrew:
        """Brew."""
        return options

    keywords = inspect.signature(brew).parameters

    assert ["beans", "milk", "strength", "steep_s", "options", "cup"] == [*keywords]
    assert "none" == keywords["milk"].default
    assert "What goes in." in (brew.__doc__ or "")
    assert MilkyBrew(milk="cow") == brew("arabica", milk="cow")
    assert MilkyBrew(milk="cow", steep_s=3) == brew(options=MilkyBrew(milk="cow"), steep_s=3)
    with pytest.raises(UsageError, match="milk"):
        brew(milk="goat")
    with pytest.raises(TypeError, match="sugar"):
        brew(sugar=1)


def test_a_new_field_is_a_notebook_parameter() -> None:
    """A line of the cell that papermill reads; what it sets is read back."""
    lines = notebook_parameters(MilkyBrew, {"milk": "oat"})
    cell: dict[str, Any] = {}
    exec(lines, cell)

    assert 'milk: str = "oat"  # What goes in.' in lines.splitlines()
    assert MilkyBrew(milk="oat") == select_options(MilkyBrew, cell)


def test_a_new_field_is_a_field_of_toml() -> None:
    """Times and ratios are numbers, or text with a unit."""
    as_text = {"milk": "oat", "strength": "7%", "steep": "2m"}
    as_numbers = {"milk": "oat", "strength": 0.07, "steep_s": 120}

    assert MilkyBrew(milk="oat", strength=0.07, steep_s=120.0) == options_from(MilkyBrew, as_text)
    assert options_from(MilkyBrew, as_text) == options_from(MilkyBrew, as_numbers)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"milc": "oat"}, "milc is no option; did you mean milk"),
        ({"strength": "150%"}, "strength must be more than 0% and less than 100%, not 150%"),
        ({"strength": 2}, "strength is a ratio: write 2% or 0.02, not 2"),
        ({"strength": 1.0}, "strength is a ratio: write 1% or 0.01, not 1"),
        ({"strength": "5"}, "strength is a ratio: write 5% or 0.05, not 5"),
        ({"strength": "500"}, "strength is a ratio: write 500%, not 500"),
        ({"strength": float("inf")}, "less than 100%, not inf%"),
        ({"strength": True}, "strength is True"),
        ({"dose": 6}, "dose is no option; it is now strength, a ratio: 5% or 0.05"),
        ({"milk": "goat"}, "milk must be none, oat or cow, not 'goat'"),
        ({"steep": "2m", "steep_s": 90}, "steep_s and steep are the same: write one of them"),
        ({"strength": "much"}, "must be a ratio such as 5% or 0.05, not 'much'"),
        ({"steep_s": 0}, "steep_s must be more than 0, not 0"),
        ({"steep_s": float("nan")}, "steep_s must be more than 0, not nan"),
        ({"steep": "soon"}, "steep is 'soon', not a duration such as 90s, 10m or 1.5h"),
        ({"steep": 90}, "steep must be text such as '90s'"),
        ({"steep_s": [1]}, "steep_s is [1]"),
    ],
)
def test_a_value_that_can_not_be_is_refused(table: dict[str, object], message: str) -> None:
    """By its name, with what it may be."""
    with pytest.raises(UsageError) as caught:
        options_from(MilkyBrew, table)

    assert message in str(caught.value)


@given(
    st.builds(
        MilkyBrew,
        strength=st.floats(1e-12, 0.999),
        steep_s=st.floats(1e-9, 1e9),
        milk=st.sampled_from(["none", "oat", "cow"]),
    )
)
def test_arguments_for_another_process_say_the_same(options: MilkyBrew) -> None:
    """To the last digits that fifteen can tell."""

    @click.command()
    @options_of(MilkyBrew)
    def brew(options: MilkyBrew) -> None:
        received.append(options)

    received: list[MilkyBrew] = []
    brew.main([*command_arguments(options)], standalone_mode=False)

    assert options.milk == received[0].milk
    assert (options.strength, options.steep_s) == pytest.approx(
        (received[0].strength, received[0].steep_s), rel=1e-14
    )


def test_a_list_may_be_one_text_in_a_notebook() -> None:
    """`papermill -p modules mine` gives text."""
    assert ("mine",) == select_options(RunOptions, {"modules": "mine"}).modules
    assert ("a", "b") == select_options(RunOptions, {"modules": ["a", "b"]}).modules
    assert () == select_options(RunOptions, {"modules": ""}).modules


def test_a_ratio_is_percent_or_a_share() -> None:
    """Both are the same number; one that is likely meant in percent is refused."""
    assert 0.05 == ratio_from_text("5%") == ratio_from_text("0.05") == ratio_from_text(" 5 % ")
    assert 1.5 == ratio_from_text("150%")
    with pytest.raises(UsageError, match=r"write 5% or 0\.05"):
        ratio_from_text("5")


def test_ratios_can_be_handed_on_as_numbers() -> None:
    """Options pass them on between functions and plans; a bare 1 or more would be refused."""
    ratios = [
        field for kind in our_kinds() for field in option_fields(kind) if "ratio" == field.unit
    ]

    assert RULES.keys() | {"warn_over"} == {field.name for field in ratios}
    for field in ratios:
        with pytest.raises(UsageError, match="must be"):
            field.read("100%")


@pytest.mark.parametrize(
    "alpha", [0, 1e-300, 0.00009, 0.21, 0.99, "0%", "0.009%", "21%", float("nan")]
)
def test_alpha_is_an_error_that_makes_sense(alpha: object) -> None:
    """Neither one that no number of pairs proves, nor one by which a coin could decide."""
    with pytest.raises(UsageError, match=r"alpha must be at least 0\.01% and at most 20%"):
        options_from(ABOptions, {"alpha": alpha})

    assert 0.2 == options_from(ABOptions, {"alpha": "20%"}).alpha
    assert 0.0001 == options_from(ABOptions, {"alpha": 0.0001}).alpha


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_a_soak_takes_some_minutes(minutes: float) -> None:
    """More than none, and a number of them."""
    with pytest.raises(UsageError, match="minutes must be more than 0 and at most 100000, not"):
        options_from(SoakOptions, {"minutes": minutes})


def test_options_of_another_type_are_refused() -> None:
    """With the type that is expected; one derived from it will do."""

    @keyword_options
    def brew(*, options: Brew) -> Brew:
        """Brew."""
        return options

    assert MilkyBrew() == brew(options=MilkyBrew())
    for value, text in (
        (RunOptions(), r"RunOptions\(\.\.\.\)"),
        ({"strength": 0.1}, "{'strength'"),
    ):
        with pytest.raises(
            UsageError, match=rf"options of brew\(\) must be Brew\(\.\.\.\), not {text}"
        ):
            brew(options=value)


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("threshold", "; it is now fail_over, a ratio: 5% or 0.05"),
        ("fail_percent", "; it is now fail_over, a ratio: 5% or 0.05"),
        ("among", "; it is now comparisons"),
        ("fail_ovr", "; did you mean fail_over?"),
        ("time_budget", "; did you mean time_budget_s?"),
        ("archiv", "; did you mean archive?"),
        ("xyzzy", ""),
    ],
)
def test_an_unknown_keyword_is_answered_with_the_right_one(keyword: str, hint: str) -> None:
    """With that of today where it is a former one."""
    with pytest.raises(TypeError) as caught:
        ab("HEAD", **{keyword: 5})

    assert f"ab() got an unexpected keyword {keyword!r}{hint}" == str(caught.value)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--threshold", "5"], "No such option: --threshold; it is now --fail-over, a ratio: 5%"),
        (["--fail-percent=5"], "it is now --fail-over, a ratio"),
        (["--among", "3"], "No such option: --among; it is now --comparisons"),
        (["--fail-ovr", "3"], "Did you mean"),
        (["--fail-over", "1"], "is a ratio: write 1% or 0.01, not 1"),
        (["--fail-over", "150%"], "must be at least 0.1% and less than 100%, not 150%"),
        (["--alpha", "99%"], "must be at least 0.01% and at most 20%, not 99%"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_one(words: list[str], answer: str) -> None:
    """As on the command line, so in Python."""
    done = CliRunner().invoke(ab_command, ["HEAD", *words])

    assert 2 == done.exit_code
    assert answer in " ".join(done.output.split())


def test_help_shows_a_default_once_and_one_metavar_for_times() -> None:
    """Numbers with their bounds, times and ratios with their unit."""
    load = CliRunner().invoke(load_command, ["--help"]).output
    ab_help = CliRunner().invoke(ab_command, ["--help"]).output
    words = " ".join(load.split())

    assert 1 == words.count("[default: 0")
    for option in ("--seconds TIME", "--warmup TIME", "--timeout TIME"):
        assert option in load
    assert "[default: 10 s]" in words
    assert "--fail-over RATIO" in ab_help
    assert "--alpha RATIO" in ab_help
    assert 1 == ab_help.count("0.05")
    assert "SECONDS" not in load + ab_help


def test_lists_of_choices_refuse_other_words() -> None:
    """The choices are named, and so are the words that are none."""
    with pytest.raises(UsageError) as refused:
        options_from(ABOptions, {"witness": ["instructions", "cycles"]})

    assert "witness must be a list of instructions or bytecodes, not 'cycles'" == str(refused.value)
    assert ("bytecodes",) == options_from(ABOptions, {"witness": ["bytecodes"]}).witness
    assert ("bytecodes",) == select_options(ABOptions, {"witness": "bytecodes"}).witness
    ab_help = CliRunner().invoke(ab_command, ["--help"]).output
    assert 1 == ab_help.count("--witness [instructions|bytecodes]")
    assert 1 == ab_help.count("--by [time|instructions]")


def test_seconds_of_load_may_have_a_unit() -> None:
    """As every other time."""
    assert 90.0 == options_from(LoadOptions, {"seconds": "1.5m"}).seconds
    assert 5.0 == options_from(LoadOptions, {"seconds": 5}).seconds


@pytest.mark.parametrize("part", [3, [3], None])
def test_benchmarks_are_selected_by_name(part: Any) -> None:
    """A number is none."""
    with pytest.raises(UsageError, match="selected by name, a text or a list of text, not"):
        flat_names(["a", part])

    assert ("a", "b", "c") == flat_names(["a", ["b", "c"], ""])


def our_kinds() -> list[type[Options]]:
    """All options types of ``veperf.core.options``."""
    kinds: list[type[Options]] = [Options]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return [kind for kind in kinds if kind.__module__ == "veperf.core.options"]


def test_every_option_has_help() -> None:
    """A sentence for the command line, the notebook and the documentation."""
    ours = our_kinds()

    assert {ABOptions, RunOptions} <= {*ours}
    assert not [(kind, f.name) for kind in ours for f in option_fields(kind) if not f.help]


def test_defaults_agree_with_the_statistics() -> None:
    """The most pairs are those of the last look; the rule has the options' error and limit."""
    assert LOOKS[-1] == ABOptions.max_pairs
    rule = PairRule(
        alpha=ABOptions.alpha,
        fail_over=EffectOptions.fail_over,
        margin=ABOptions.margin,
        min_effect=ABOptions.min_effect,
    )
    assert PairRule() == rule


def test_the_rules_of_the_configuration_reach_the_sequential_test() -> None:
    """All sizes and the error; alpha is divided by benchmarks and comparisons."""
    run = ab_run(change("mine/good", ChangeStatus.OK))
    config = replace(
        run.config, alpha=0.01, comparisons=3, margin=0.1, min_effect=0.02, fail_over=0.2
    )

    rule = pair_rule(config, TIME, 2)

    assert PairRule(alpha=0.01, comparisons=6, margin=0.1, min_effect=0.02, fail_over=0.2) == rule


RULES = {"alpha": 0.01, "margin": 0.1, "min_effect": 0.02, "fail_over": 0.2}


@pytest.mark.parametrize(
    "function", [ab, ab_commands, ab_fleet, selfcheck, compare], ids=lambda f: f.__name__
)
def test_every_judge_takes_the_rules(function: Callable[..., object]) -> None:
    """As keywords, each with the option's bounds."""
    assert RULES.keys() <= inspect.signature(function).parameters.keys()


@pytest.mark.parametrize(
    "kind", [ABOptions, CommandOptions, FleetOptions, SelfCheckOptions, GateOptions, CompareOptions]
)
def test_every_options_type_takes_the_rules(kind: type[Options]) -> None:
    """In percent or as a share; a sweep's table [ab] as well."""
    texts = {name: f"{100 * value:g}%" for name, value in RULES.items()}

    assert RULES == {name: getattr(options_from(kind, texts), name) for name in RULES}
    assert options_from(ABSpec, {"base": "main", **texts}) == ABSpec(
        "main", alpha=0.01, margin=0.1, min_effect=0.02, fail_over=0.2
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"min_effect": 0.04}, "min_effect can't be more than margin: 4% is more than 3%"),
        ({"margin": "0.5%"}, "min_effect can't be more than margin: 1% is more than 0.5%"),
        ({"fail_over": 0.005}, "min_effect can't be more than fail_over: 1% is more than 0.5%"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(
    settings: dict[str, object], expected: str
) -> None:
    """Before anything is measured, by the names of both options."""
    with pytest.raises(UsageError, match=re.escape(expected)):
        options_from(ABOptions, settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"short": True, "processes": 4}, "short is 2 processes without memory"),
        ({"min_time": "40s"}, "min_time 40 s needs a timeout of 80 s or more, not 60 s"),
        ({"expression": "hash or"}, "-k: expected a word"),
        ({"levels": ["nano"]}, "must be a list of micro, component, integration or load"),
    ],
)
def test_a_run_that_contradicts_itself_is_refused(
    settings: dict[str, object], expected: str
) -> None:
    """Before anything is measured."""
    with pytest.raises(UsageError, match=re.escape(expected)):
        options_from(RunOptions, settings)


def test_options_that_check_themselves_all_do_where_they_are_combined() -> None:
    """Those of a run and those of a comparison, in one command."""
    with pytest.raises(UsageError, match="short is 2 processes"):
        CIOptions(short=True, memory=True)
    with pytest.raises(UsageError, match="min_effect can't be more than margin"):
        CIOptions(min_effect=0.5)
