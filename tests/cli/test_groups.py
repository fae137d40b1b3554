"""Groups of options: one home each, the same words in every verb."""

import inspect
from dataclasses import dataclass, is_dataclass
from typing import Annotated

import pytest
import typer

from hwsim.cli import app, groups
from hwsim.cli.groups import grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    first: Annotated[int, typer.Option(help="one")] = 1
    second: Annotated[int, typer.Option(help="two")] = 2


def test_a_verb_takes_records_and_shows_their_fields():
    seen = []

    @grouped(second=5)
    def verb(*, pair: Pair, third: Annotated[int, typer.Option(help="three")] = 3) -> None:
        """What it does."""
        seen.append((pair, third))

    shown = inspect.signature(verb).parameters
    assert [(name, one.default) for name, one in shown.items()] == [("first", 1), ("second", 5), ("third", 3)]
    assert verb.__doc__ == "What it does."
    verb(first=7, second=5, third=4)
    assert seen == [(Pair(first=7, second=5), 4)]


def test_an_option_stands_in_one_group():
    with pytest.raises(AssertionError, match="verb: first stands in two groups, one of them other"):

        @grouped()
        def verb(*, pair: Pair, other: Pair) -> None:
            """Twice the same."""


@pytest.mark.parametrize(
    "verb", [command.callback for command in app.registered_commands], ids=lambda verb: verb.__name__
)
def test_verbs_state_no_option_that_a_group_has(verb):
    """What several verbs share is a record of all; ``diagnose`` and ``sweep`` take parts of ``Loading`` and of precision."""
    parts = {
        "diagnose": {"dimensions", "seed"},
        "sweep": {"weights", "activations", "psum", "requantizer", "range_", "recipe", "recipe_options", "seed"},
    }
    homes = {
        field: group
        for group in (groups.Target, groups.Loading, groups.Precision, groups.Registers, groups.Method, groups.Images, groups.Mapper)
        for field in group.__dataclass_fields__
    }  # fmt: skip
    stated = inspect.signature(inspect.unwrap(verb), eval_str=True).parameters
    own = {name for name, parameter in stated.items() if not is_dataclass(parameter.annotation)}
    assert {name for name in own if name in homes} == parts.get(verb.__name__, set())
