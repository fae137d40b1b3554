"""The record of a requantization unit: which arithmetic turns an accumulator into an output code."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hwsim.errors import HwsimError
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizers import definition
from hwsim.numerics.rounding import Rounding

SHIFT_ONLY = ("power_of_two", "vta_shift", "ap_fixed", "nvdla_cacc")  # no multiplier: scales must be powers of two
WIDTHS = {"multiplier_bits": (2, 32), "saturated_bits": (0, 64)}
LEFT_OUT = ("overflow", "saturated_bits")  # of the text form where they are the scheme's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Requantizer:
    """A requantization unit. Keys beside the scheme are None where it does not read them; stating one there is an error.

    Args:
        scheme: a file of ``hwsim.numerics.requantizers``: ``float32``, ``fixed_point``, ``power_of_two``, ...
        multiplier_bits: width of the signed integer multiplier, 2..32.
        rounding: of the shift.
        overflow: what becomes of a result that is no code.
        saturated_bits: highest bits that saturate where the rest wraps, 0..64.

    Raises:
        HwsimError: an unknown scheme, a key that it does not read, a number out of range, what the scheme refuses.

    >>> str(Requantizer()), str(Requantizer(scheme="float32")), str(Requantizer(scheme="ap_fixed"))
    ('fixed_point:32:half_up', 'float32', 'ap_fixed:floor')
    """

    scheme: str = "fixed_point"
    multiplier_bits: int | None = None
    rounding: Rounding | None = None
    overflow: CodeOverflow | None = None
    saturated_bits: int | None = None

    def __post_init__(self) -> None:
        module = definition(self.scheme)
        for key in KEYS:
            value = getattr(self, key)
            if key not in module.KEYS:
                if value is not None:
                    raise HwsimError(f"requantizer: {key} = {value} is stated, but {unread(self.scheme, key)}")
            elif value is None:
                object.__setattr__(self, key, module.KEYS[key])
            elif key in WIDTHS and not WIDTHS[key][0] <= value <= WIDTHS[key][1]:
                low, high = WIDTHS[key]
                raise HwsimError(f"requantizer: {key} must be {low}..{high}, not {value}")
        check = getattr(module, "check", None)
        if check is not None:
            check(self)

    @property
    def shift_rounding(self) -> Rounding:
        """The rounding; raise HwsimError where the scheme has none to choose."""
        if self.rounding is None:
            raise HwsimError(f"requantizer: {unread(self.scheme, 'rounding')}")
        return self.rounding

    @property
    def multiplier_width(self) -> int:
        """The width of the multiplier; raise HwsimError where the scheme has none to choose."""
        if self.multiplier_bits is None:
            raise HwsimError(f"requantizer: {unread(self.scheme, 'multiplier_bits')}")
        return self.multiplier_bits

    def resolved(self, *, ifmap_bits: int, bias_bits: int | None, layer: str) -> Requantizer:
        """Return the unit that this one is for an array layer: runtimes choose by its kind and the widths of ifmap and bias.

        Args:
            ifmap_bits: width of the activations.
            bias_bits: width of the bias, None without one.
            layer: its kind, see ``requantizers.layer_scale``.

        >>> str(Requantizer(scheme="tflite").resolved(ifmap_bits=16, bias_bits=64, layer="convolution"))
        'tflite_int16x8'
        """
        module = definition(self.scheme)
        scheme = module.resolved(ifmap_bits, bias_bits, layer) if hasattr(module, "resolved") else self.scheme
        return self if scheme == self.scheme else Requantizer(scheme=scheme)

    def __str__(self) -> str:
        defaults, words = definition(self.scheme).KEYS, [self.scheme]
        for key in (key for key in KEYS if key in defaults):
            value = getattr(self, key)
            if key not in LEFT_OUT or value != defaults[key]:
                words.append(str(value))
        return ":".join(words)


KEYS = tuple(field.name for field in fields(Requantizer) if field.name != "scheme")


def unread(scheme: str, key: str) -> str:
    """Return the sentence that ``scheme`` does not read ``key``, and what it reads.

    >>> unread("float32", "rounding"), unread("power_of_two", "multiplier_bits")
    ('float32 does not read it; it has no keys', 'power_of_two does not read it; it reads rounding, overflow')
    """
    reads = tuple(definition(scheme).KEYS)
    return f"{scheme} does not read it; it {'reads ' + ', '.join(reads) if reads else 'has no keys'}"
