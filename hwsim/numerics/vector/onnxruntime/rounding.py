"""How the kernels turn a float32 with the zero point already in it into a code: ``cvtps2dq``, then saturating packs."""

from __future__ import annotations

import numpy as np

INT32_TOP = np.float32(2**31)


def code_of(value: np.float32, low: int, high: int) -> int:
    """Return ``clamp(rint(value), low, high)``; 2^31 and more becomes the smallest int32, as the instruction has it.

    >>> code_of(np.float32(2.5), 0, 255), code_of(np.float32(300), 0, 255), code_of(np.float32(2**31), 0, 255)
    (2, 255, 0)
    """
    if not value < INT32_TOP:
        return low
    return min(max(int(np.rint(max(value, -INT32_TOP))), low), high)
