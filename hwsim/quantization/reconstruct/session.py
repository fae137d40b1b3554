"""PyTorch on loan: it is an optional dependency, and its global settings belong to the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hwsim.errors import HwsimError


def need_torch(step: str) -> None:
    """Raise HwsimError, in the name of ``step``, where PyTorch is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise HwsimError(f'{step}: needs PyTorch, which is not installed; run pip install "hwsim[train]"') from None


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread with gradients on, and give the settings back.

    On one thread the kernels of PyTorch for CPUs add in a fixed order, so that the same numbers go in and come out; random
    numbers come from generators of their own, never from the global one.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
