"""A layer of a SCALE-Sim topology."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import GraphError
from hwsim.units import ceil_div


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSimLayer:
    """A row of a topology; a product is the convolution of an ``M x K`` image of one channel with N rows of K.

    Args:
        name: as written; names may repeat.
        ifmap_height, ifmap_width, filter_height, filter_width: sizes in pixels.
        channels: of the image.
        filters: output channels.
        stride: along both directions.
        is_gemm: whether the row was a matrix product.

    >>> layer = ScaleSimLayer(name="c", ifmap_height=8, ifmap_width=8, filter_height=3, filter_width=3, channels=2, filters=4, stride=2)
    >>> layer.m, layer.k, layer.n
    (16, 18, 4)
    """

    name: str
    ifmap_height: int
    ifmap_width: int
    filter_height: int
    filter_width: int
    channels: int
    filters: int
    stride: int
    is_gemm: bool = False

    def __post_init__(self) -> None:
        for what, filter_size, ifmap_size in (
            ("height", self.filter_height, self.ifmap_height),
            ("width", self.filter_width, self.ifmap_width),
        ):
            if filter_size > ifmap_size:
                raise GraphError(
                    f"layer {self.name!r}: the filter's {what} must be at most the ifmap's {ifmap_size}, not {filter_size}; "
                    "SCALE-Sim has no padding: write the padded size of the ifmap"
                )

    @property
    def ofmap_height(self) -> int:
        """Rows of output pixels, rounded up."""
        return ceil_div(self.ifmap_height - self.filter_height, self.stride) + 1

    @property
    def ofmap_width(self) -> int:
        """Columns of output pixels, rounded up."""
        return ceil_div(self.ifmap_width - self.filter_width, self.stride) + 1

    @property
    def m(self) -> int:
        """Output pixels."""
        return self.ofmap_height * self.ofmap_width

    @property
    def k(self) -> int:
        """Elements of a window."""
        return self.filter_height * self.filter_width * self.channels

    @property
    def n(self) -> int:
        """Filters."""
        return self.filters

    @property
    def macs(self) -> int:
        """Multiply-accumulates, windows that leave the image included."""
        return self.m * self.k * self.n

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of the product by letter."""
        return {"m": self.m, "k": self.k, "n": self.n}

    @property
    def overhang(self) -> tuple[int, int]:
        """Pixels (below, right) by which the last windows leave the image."""
        return (
            max((self.ofmap_height - 1) * self.stride + self.filter_height - self.ifmap_height, 0),
            max((self.ofmap_width - 1) * self.stride + self.filter_width - self.ifmap_width, 0),
        )
