"""What the reader does not take, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterable

from hwsim.errors import did_you_mean


def unsupported(code: str, known: Iterable[str]) -> str:
    """Return the complaint about an operator that is not read, with its way out."""
    kind, _, name = code.partition(":")
    if kind == "CUSTOM":
        return f"custom operator {name!r} is not supported; cut the model before it, or convert it with builtin operators only"
    if kind == "BUILTIN":
        return f"builtin operator number {name} is not known; convert the model for an older version of the runtime"
    hint = did_you_mean(code, known)
    close = hint if "did you mean" in hint else ""
    return f"operator {code} is not supported{close or ';'} rewrite it with supported operators, or cut the model before it"
