"""Which law a record of an arithmetic unit states, read from its own fields; never from the name of its file.

A law lists the fields that its check reads and the text that states it (``function``, or what stands in its place). A record
without a law, or with two, is an error that says what each known law misses in it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One design's arithmetic.

    Args:
        name: what the unit is.
        fields: what a record must have.
        stated_in: the field whose text states the law.
        text: the whole of that text, without blanks; its groups go to the check.
        check: compares a record with hwsim.
    """

    name: str
    fields: frozenset[str]
    stated_in: str
    text: re.Pattern[str]
    check: Callable[[dict, re.Match], None]

    def claim(self, record: dict) -> re.Match | None:
        """Return the match of the text where the record states this law."""
        return None if self.fields - record.keys() else self.text.fullmatch(self._stated(record))

    def misses(self, record: dict) -> str:
        """Say why the record does not state this law."""
        lacking = sorted(self.fields - record.keys())
        if lacking:
            return f"{self.name}: no {', '.join(lacking)}"
        return f"{self.name}: {self.stated_in} is not {self.text.pattern}"

    def _stated(self, record: dict) -> str:
        return "".join(str(record.get(self.stated_in, "")).split())


LAWS: list[Law] = []


def law(name: str, *fields: str, text: str, stated_in: str = "function") -> Callable:
    """Register the decorated check ``(record, match)`` as the law ``name``."""

    def register(check: Callable[[dict, re.Match], None]) -> Callable[[dict, re.Match], None]:
        needed = frozenset({*fields, stated_in})
        LAWS.append(Law(name=name, fields=needed, stated_in=stated_in, text=re.compile(text), check=check))
        return check

    return register


def claim_of(record: dict) -> tuple[Law, re.Match]:
    """Return the one law that the record states, and the match of its text.

    Raises:
        LookupError: no law or several.
    """
    found = [(each, match) for each in LAWS if (match := each.claim(record)) is not None]
    if len(found) == 1:
        return found[0]
    stated = {key: record.get(key) for key in ("function", "overflow_behaviour", "unit", "file", "repo")}
    if found:
        raise LookupError(f"{stated} states several laws: {', '.join(each.name for each, _ in found)}")
    known = "".join(f"\n  {each.misses(record)}" for each in LAWS)
    raise LookupError(f"no law for {stated} with the fields {', '.join(sorted(record))}; write one with @law:{known}")
