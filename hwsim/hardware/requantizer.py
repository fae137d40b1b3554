"""The requantization unit as a table or a text of machine files and precision plans."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.functional_validators import BeforeValidator
from pydantic_core import CoreSchema

from hwsim.errors import HwsimError
from hwsim.hardware.fields import Record, SchemeField
from hwsim.hardware.known import requantizer_schemes
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizer import WIDTHS, Requantizer, unread
from hwsim.numerics.requantizers import definition
from hwsim.numerics.rounding import Rounding

REQUANTIZER_PATTERN = r"^[a-z][a-z0-9_]*(:([0-9]+|[a-z_]+)){0,3}$"


class RequantizerPart(Record):
    """The requantization unit: accumulator to output code. A key that its scheme does not read must not be stated."""

    scheme: SchemeField = Field(
        default="fixed_point",
        description="Arithmetic of the unit: float32, fixed_point, power_of_two or another file of hwsim.numerics.requantizers.",
    )
    multiplier_bits: Annotated[int, Field(ge=2, le=32, strict=True)] | None = Field(
        default=None,
        description="Width of the signed integer multiplier in bits, 2 to 32, of fixed_point. Left out: 32.",
    )
    rounding: Rounding | None = Field(
        default=None,
        description="Rounding of the shift, of fixed_point, power_of_two and ap_fixed; half_up adds half and shifts (ties towards +infinity). Left out: half_up, of ap_fixed floor.",
    )
    overflow: CodeOverflow | None = Field(
        default=None,
        description="What becomes of a result that is no code, of fixed_point, power_of_two, ap_fixed and vta_shift. Left out: saturate, of ap_fixed and vta_shift wrap.",
    )
    saturated_bits: Annotated[int, Field(ge=0, le=64, strict=True)] | None = Field(
        default=None,
        description="Highest bits that saturate where the rest wraps, of ap_fixed (N of AP_WRAP). Left out: 0.",
    )

    @model_validator(mode="after")
    def _states_what_is_read(self) -> RequantizerPart:
        reads = definition(self.scheme).KEYS
        for key, value in self.stated.items():
            if key not in reads:
                way_out = f'(a text such as requantizer = "{self.scheme}" leaves the others out)'
                raise ValueError(f"states {key} = {value}, but {unread(self.scheme, key)} {way_out}")
        try:
            self._record()
        except HwsimError as error:
            raise ValueError(f"is refused: {str(error).removeprefix('requantizer: ')}") from None
        return self

    @property
    def stated(self) -> dict[str, Any]:
        """The keys beside the scheme that are stated."""
        keys = (name for name in type(self).model_fields if name != "scheme")
        return {name: getattr(self, name) for name in keys if getattr(self, name) is not None}

    def _record(self) -> Requantizer:
        return Requantizer(scheme=self.scheme, **self.stated)

    @property
    def unit(self) -> Requantizer:
        """The numerics record, with the scheme's own values where nothing is stated."""
        return self._record()

    def __str__(self) -> str:
        return str(self.unit)


def read_requantizer(value: Any) -> Any:
    """Turn the text form ``scheme[:number][:rounding][:overflow]`` into a table; leave anything else as it is.

    A number is the multiplier's width, of ``ap_fixed`` the saturated bits.

    >>> read_requantizer("fixed_point:16:half_up")
    {'scheme': 'fixed_point', 'multiplier_bits': 16, 'rounding': 'half_up'}
    >>> read_requantizer("ap_fixed:half_even:saturate")
    {'scheme': 'ap_fixed', 'rounding': 'half_even', 'overflow': 'saturate'}
    """
    if isinstance(value, RequantizerPart | Mapping):
        return value
    if not isinstance(value, str) or not re.fullmatch(REQUANTIZER_PATTERN, value):
        raise ValueError(f"must be a table or a text such as fixed_point:16:half_up, not {value!r}")
    scheme, *words = value.split(":")
    table: dict[str, Any] = {"scheme": scheme}
    for word in words:
        key = _key_of(word, scheme)
        if key in table:
            raise ValueError(f"is {value!r}, which states {key} twice")
        table[key] = int(word) if word.isdigit() else word
    return table


def _key_of(word: str, scheme: str) -> str:
    """Return the key that a word of the text form is for; an unknown word is taken for a rounding."""
    if word.isdigit():
        reads = definition(scheme).KEYS if scheme in requantizer_schemes() else ()
        return next((key for key in WIDTHS if key in reads), "multiplier_bits")
    return "overflow" if word in list(CodeOverflow) else "rounding"


class _TextOrTable:
    """Tells editors that a requantizer may be a table or its text form."""

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": REQUANTIZER_PATTERN}]}


RequantizerField = Annotated[RequantizerPart, BeforeValidator(read_requantizer), _TextOrTable]
