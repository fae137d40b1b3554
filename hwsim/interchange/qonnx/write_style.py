"""Grids as QONNX's Quant, BipolarQuant and FloatQuant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from onnx import TensorProto

from hwsim.errors import GraphError
from hwsim.graph import Node, Tensor
from hwsim.interchange.onnx.write.nodes import Emitter
from hwsim.interchange.onnx.write.sheet import Shape, Sheet
from hwsim.interchange.onnx.write.weights import looked_up
from hwsim.interchange.qonnx.domain import DOMAIN
from hwsim.numerics.formats import BIPOLAR, Codebook, FloatFormat, IntFormat, Specials
from hwsim.numerics.qonnx import name_of
from hwsim.numerics.quant_params import QuantOrder, QuantParams

OPSET = 13
EXACT_BITS = 24  # of a float32 significand


def _multi_threshold(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    rank, axis = len(shape), node.attributes["axis"]
    layout = "".join("C" if dim == axis else "N" if dim == 0 else "X" for dim in range(rank))
    factor, offset = float(node.attributes["factor"]), float(node.attributes["offset"])
    sheet.emit(
        "MultiThreshold", node.name, inputs, outputs, domain=DOMAIN,
        out_scale=factor, out_bias=offset, out_dtype="FLOAT32", data_layout=layout,
    )  # fmt: skip


class QonnxStyle:
    """Grids as operators on float32; the real values have the tensor's name, those of an input ``<name>/quantized``."""

    own: Mapping[str, Emitter] = MappingProxyType({"MultiThreshold": _multi_threshold})

    def opset(self, tensor: Tensor) -> int:
        """Return the version of ONNX's operator set from which the operators are written in one way."""
        return OPSET

    def clamp(self, tensor: Tensor, low: float | None, high: float | None) -> tuple[float | None, float | None]:
        """Return both ends."""
        return low, high

    def given(self, sheet: Sheet, tensor: Tensor, codes: bool) -> tuple[int, str]:
        """Quantize an input; one of codes becomes real."""
        if codes:
            sheet.note("inputs that take codes in the graph take real values in the file", tensor.name)
        return TensorProto.FLOAT, self._quantized(sheet, tensor, tensor.name, sheet.name(f"{tensor.name}/quantized"))

    def result(self, sheet: Sheet, tensor: Tensor, real: str, is_output: bool, moved: bool) -> str:
        """Quantize a result into the tensor's name; what was moved into that name is on its grid already."""
        if moved and real == tensor.name:
            return real
        return self._quantized(sheet, tensor, real, tensor.name)

    def constant(self, sheet: Sheet, tensor: Tensor) -> str:
        """Store the real values of the codes, and quantize them into the tensor's name; tables are looked up, as in QDQ."""
        grid, codes = tensor.quant, tensor.encoded()
        assert grid is not None
        if isinstance(grid.format, Codebook) and grid.format != BIPOLAR:
            return looked_up(sheet, tensor)
        is_integer = isinstance(grid.format, IntFormat)
        if is_integer and codes.dtype.itemsize > 2 and np.abs(codes.astype(np.int64)).max(initial=0) > 1 << EXACT_BITS:
            sheet.note("codes of more than 24 bits, whose low bits float32 drops", tensor.name)
        value = sheet.constant(f"{tensor.name}/value", grid.decode(codes))
        sheet.describe(value, tensor.shape)
        return self._quantized(sheet, tensor, value, tensor.name, constant=True)

    def reinterpreted(
        self, sheet: Sheet, node: Node, source: Tensor, target: Tensor, real: str, is_output: bool
    ) -> str:
        """Compute the real values that the codes have on the grid of ``target``: ``factor * x + offset``."""
        factor = sheet.constant(f"{node.name}/factor", np.float32(node.attributes["factor"]))
        offset = sheet.constant(f"{node.name}/offset", np.float32(node.attributes["offset"]))
        product, moved = sheet.name(f"{target.name}/product"), sheet.name(f"{target.name}/real")
        for written in (product, moved):
            sheet.describe(written, target.shape)
        sheet.emit("Mul", f"{node.name}/factor", [real, factor], [product])
        sheet.emit("Add", f"{node.name}/offset", [product, offset], [moved])
        return self._quantized(sheet, target, moved, target.name)

    def _quantized(self, sheet: Sheet, tensor: Tensor, real: str, target: str, constant: bool = False) -> str:
        grid = tensor.quant
        assert grid is not None
        name = f"{tensor.name}/quant"
        if isinstance(grid.format, IntFormat):
            if not constant:
                _note_order(sheet, tensor, grid)
            return _quant(sheet, name, tensor, grid, grid.format, [real], target)
        scale = _spread(sheet, f"{tensor.name}/scale", grid.scales(), tensor, grid)
        if grid.format == BIPOLAR:
            return sheet.emit("BipolarQuant", name, [real, scale], [target], domain=DOMAIN)
        if isinstance(grid.format, FloatFormat) and grid.format.signed and grid.format.subnormals:
            return _float_quant(sheet, name, grid, grid.format, [real, scale], target)
        raise GraphError(f"tensor {tensor.name!r}: QONNX has no quantizer for the format {grid.format}")


def _quant(
    sheet: Sheet, name: str, tensor: Tensor, grid: QuantParams, number: IntFormat, inputs: list[str], target: str
) -> str:
    if number.bits == 1 and number.signed:
        raise GraphError(
            f"tensor {tensor.name!r}: QONNX takes one signed bit for -1 and +1, so it lacks int1; use bipolar"
        )
    scale = _spread(sheet, f"{tensor.name}/scale", grid.scales(), tensor, grid)
    zero_point = _spread(sheet, f"{tensor.name}/zero_point", grid.zero_points().astype(np.float32), tensor, grid)
    bits = sheet.constant(f"{tensor.name}/bits", np.float32(number.bits))
    return sheet.emit(
        "Quant", name, [*inputs, scale, zero_point, bits], [target], domain=DOMAIN,
        signed=int(number.signed), narrow=int(number.narrow), rounding_mode=name_of(grid.rounding),
    )  # fmt: skip


def _float_quant(
    sheet: Sheet, name: str, grid: QuantParams, number: FloatFormat, inputs: list[str], target: str
) -> str:
    parts = {
        "exponent_bits": number.exponent_bits, "mantissa_bits": number.mantissa_bits, "bias": number.exponent_bias,
        "maximum": number.maximum,
    }  # fmt: skip
    operands = [sheet.constant(f"{name}/{key}", np.float32(value)) for key, value in parts.items()]
    return sheet.emit(
        "FloatQuant", name, [*inputs, *operands], [target], domain=DOMAIN,
        has_inf=int(number.specials is Specials.IEEE), has_nan=int(number.specials is not Specials.FINITE),
        has_subnormal=1, saturation=int(grid.saturate), rounding_mode=name_of(grid.rounding),
    )  # fmt: skip


def _spread(sheet: Sheet, name: str, values: np.ndarray, tensor: Tensor, grid: QuantParams) -> str:
    """Store one number per scale in a shape that broadcasts against the tensor."""
    spread = grid.granularity.spread(values, tensor.shape)
    return sheet.constant(name, spread if values.size > 1 else values.reshape(()))


def _note_order(sheet: Sheet, tensor: Tensor, grid: QuantParams) -> None:
    if grid.order is QuantOrder.ROUND_THEN_OFFSET and any(value % 2 for value in grid.zero_point):
        sheet.note("an odd zero point is added after rounding, by QONNX before it: ties differ", tensor.name)
