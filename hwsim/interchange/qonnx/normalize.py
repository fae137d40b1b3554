"""The operators of QONNX and FINN for the ONNX reader, under every name that their domains have had."""

from __future__ import annotations

from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.qonnx import channels_last
from hwsim.interchange.qonnx.domain import CHANNELS_LAST, DOMAINS
from hwsim.interchange.qonnx.multithreshold import multi_threshold
from hwsim.interchange.qonnx.quantizers import bipolar_quant, float_quant, int_quant
from hwsim.interchange.qonnx.trunc import trunc

GENERAL: dict[str, Normalizer] = {
    "Quant": int_quant,
    "IntQuant": int_quant,
    "BipolarQuant": bipolar_quant,
    "FloatQuant": float_quant,
    "Trunc": trunc,
    "MultiThreshold": multi_threshold,
    "MaxPoolNHWC": channels_last.MAX_POOL_NHWC,
}

NORMALIZERS: dict[str, Normalizer] = {
    **{f"{domain}.{op}": normalizer for domain in DOMAINS for op, normalizer in GENERAL.items()},
    **{f"{CHANNELS_LAST}.{op}": normalizer for op, normalizer in channels_last.OPERATORS.items()},
}
