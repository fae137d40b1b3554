"""How many windows fit along one dimension: the one rule that shapes and execution share."""

from __future__ import annotations

from hwsim.errors import GraphError


def window_count(
    size: int, *, kernel: int, stride: int, before: int, after: int, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """Return how many windows fit along one dimension (ONNX Conv and pooling, explicit pads).

    With ``ceil_mode`` the last window may overhang the end, but must start inside the input or the padding before it.

    >>> window_count(224, kernel=3, stride=2, before=1, after=1)
    112
    >>> window_count(112, kernel=3, stride=2, before=0, after=0, ceil_mode=True)
    56
    """
    extent = dilation * (kernel - 1) + 1
    slack = size + before + after - extent
    if slack < 0:
        raise GraphError(
            f"a window of {extent} (kernel {kernel}, dilation {dilation}) does not fit {size} elements padded by "
            f"{before} and {after}"
        )
    count = -(-slack // stride) + 1 if ceil_mode else slack // stride + 1
    if ceil_mode and (count - 1) * stride >= size + before:
        count -= 1
    return count
