"""SCALE-Sim's reports, number for number.

Here, because the replay of its memory calls compiled kernels, which the cost model may not import: a cost-only run compiles
nothing.
"""

from hwsim.simulation.scalesim.compare import Difference, compare
from hwsim.simulation.scalesim.layer import report_layer, report_topology

__all__ = ["Difference", "compare", "report_layer", "report_topology"]
