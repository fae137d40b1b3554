"""SCALE-Sim's own numbers in closed form, defects included and named: cycles, utilization and SRAM accesses.

The defects, each kept so that the numbers agree with the tool's, and none of them part of hwsim's own timing:

* ``off_by_one``: the total is the index of the last cycle, one less than the cycles that pass.
* ``no_drain``: an output-stationary fold ends before its last results have left the array.
* ``columns_counted_twice``: compute utilization of the stationary-operand dataflows divides by C - 1 cycles too many.
* ``extra_writes``: an output-stationary fold adds R + C to the words written, where rows and columns were to be multiplied.
* ``no_accumulator``: every fold along k writes a whole plane of partial sums, none is read back, and DRAM gets them all.
* ``padding_is_read``: a window that leaves the image counts its missing pixels as SRAM reads.

Source: SCALE-Sim 3.0.0, compute/systolic_compute_{ws,os,is}.py.
"""

from hwsim.cost.scalesim.array import scalesim_array
from hwsim.cost.scalesim.compute import ComputeReport, compute_report, total_cycles
from hwsim.cost.scalesim.sram import sram_words

__all__ = ["ComputeReport", "compute_report", "scalesim_array", "sram_words", "total_cycles"]
