"""The float32 reference: what the network computes before anything is quantized (numpy and BLAS)."""

from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.execute.float32.run import run_float

__all__ = ["FLOAT_OPS", "run_float"]
