"""The array that SCALE-Sim times, as a record of hwsim: one register per hop, nothing overlapped, and no drain."""

from __future__ import annotations

from hwsim.hardware.parts import SystolicArray
from hwsim.interchange.scalesim.config import ScaleSimConfig
from hwsim.interchange.scalesim.machine import DATAFLOWS


def scalesim_array(config: ScaleSimConfig) -> SystolicArray:
    """Return the array whose cycles, by ``hwsim.cost.array_cycles``, are the rows of SCALE-Sim's demand matrices."""
    return SystolicArray.model_validate(
        {
            "dataflow": DATAFLOWS[config.dataflow],
            "rows": config.rows,
            "columns": config.columns,
            "drain": "none",
            "overlap_load": False,
            "overlap_drain": False,
        }
    )
