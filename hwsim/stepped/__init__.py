"""Every register at every cycle: the array clocked as hardware, the slow truth behind the closed form of cycles."""

from hwsim.stepped.fold import Fold
from hwsim.stepped.gemm import SteppedGemm, run_mapping
from hwsim.stepped.record import FoldRecord, SteppedRun, Trace
from hwsim.stepped.run import run_folds

__all__ = ["Fold", "FoldRecord", "SteppedGemm", "SteppedRun", "Trace", "run_folds", "run_mapping"]
