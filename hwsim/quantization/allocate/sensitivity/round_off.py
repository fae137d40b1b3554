"""Round-off: the mean squared error of the quantized tensor itself (MixQuant, Kloberdanz and Le, arXiv:2309.17341).

Of a weight the paper's ``e_b = MSE(W, Q_b(W))``; of a result the same over calibration images. It is divided by the tensor's
mean square, so that it adds up over layers of different scale; the paper's own rule, which compares a layer's error at b bits
with that at 8, is not changed by the division (``hwsim.quantization.allocate.qem``). Weights need no images.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import Images
from hwsim.quantization.allocate.sensitivity.outputs import chunks
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable

UNIT = "error power / tensor power"


def measure(variants: Variants, choices: Choices, images: Images, seed: int) -> WidthTable:
    """Return the relative squared error of every knob's tensor at every width.

    Raises:
        HwsimError: results are allocated, and there are no images.
    """
    del seed
    powers = _result_powers(variants, choices, images)

    def relative(knob: Knob, b: int) -> float:
        error, power = powers[knob, b] if knob.key == "activations" else _weight_powers(variants, knob, b)
        return float(error / power) if power else 0.0

    return WidthTable.of(choices, relative, UNIT)


def _weight_powers(variants: Variants, knob: Knob, bits: int) -> np.ndarray:
    weight = variants.tensor(knob, bits)
    assert weight.quant is not None
    return _powers(np.asarray(weight.data), weight.quant.decode(weight.encoded()))


def _result_powers(variants: Variants, choices: Choices, images: Images) -> dict[tuple[Knob, int], np.ndarray]:
    """Return ``(error, power)``, sums of squares over all images, of every result at every width."""
    knobs = [(knob, widths) for knob, widths in zip(choices.knobs, choices.bits, strict=True) if knob.key == "activations"]  # fmt: skip
    if not knobs:
        return {}
    if not images:
        raise HwsimError("round_off: results need calibration images; give --calibration, or allocate weights alone")
    grids = {(knob, b): variants.tensor(knob, b) for knob, widths in knobs for b in widths}
    found = {key: np.zeros(2) for key in grids}
    by_tensor: dict[str, list[tuple[tuple[Knob, int], QuantParams]]] = {}
    for key, tensor in grids.items():
        assert tensor.quant is not None
        by_tensor.setdefault(tensor.name, []).append((key, tensor.quant))

    def add(name: str, values: np.ndarray) -> None:
        for key, grid in by_tensor.get(name, ()):
            found[key] += _powers(values, grid.decode(grid.encode(values)))

    for chunk in chunks(variants.graph, images):
        run_float(variants.graph, chunk, observe=add)
    return found


def _powers(values: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    exact = np.asarray(values, np.float64)
    return np.array([np.square(exact - rounded).sum(), np.square(exact).sum()])
