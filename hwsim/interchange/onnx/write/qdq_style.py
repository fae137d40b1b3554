"""Grids as QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from onnx import TensorProto

from hwsim.errors import GraphError
from hwsim.graph import Node, Tensor
from hwsim.interchange.onnx.write.codes import (
    BLOCK_OPSET,
    QUANTIZE_OPSET,
    ElementType,
    code_tensor,
    needs_clip,
    result_type,
    stored_type,
)
from hwsim.interchange.onnx.write.nodes import Emitter, write_clamp
from hwsim.interchange.onnx.write.sheet import Sheet
from hwsim.interchange.onnx.write.weights import blocked, is_table, looked_up
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding

BYTE = 8


class QdqStyle:
    """Grids as QuantizeLinear and DequantizeLinear.

    The codes have the tensor's name, the real values ``<name>/decoded``; of an output the real values have the name.

    Args:
        least_bits: of the integer element types to choose from.
    """

    own: Mapping[str, Emitter] = MappingProxyType({})

    def __init__(self, least_bits: int) -> None:
        self.least_bits = least_bits
        self.bytewise: set[str] = set()  # tensors whose Clip keeps them out of types of less than a byte
        self.codes: dict[str, tuple[str, ElementType]] = {}  # tensor with a grid: where the file has its codes

    def opset(self, tensor: Tensor) -> int:
        """Return the least version of ONNX's operator set for the tensor's grid."""
        assert tensor.quant is not None
        if tensor.is_constant and is_table(tensor.quant):
            return QUANTIZE_OPSET
        element = self._stored(tensor) if tensor.is_constant else self._computed(tensor)
        shares = tensor.quant.granularity
        block = QUANTIZE_OPSET if shares.block is None and shares.groups is None else BLOCK_OPSET
        return max(QUANTIZE_OPSET if element is None else element.opset, block)

    def clamp(self, tensor: Tensor, low: float | None, high: float | None) -> tuple[float | None, float | None]:
        """Return both ends, or before a type of less than a byte those that cut any code.

        ONNX Runtime 1.31 fails on a Clip before QuantizeLinear to 4 bits: where one must stay, the codes get a byte.
        """
        grid, element = tensor.quant, self._computed(tensor)
        assert grid is not None
        if element is None or element.bits >= BYTE or element.held is None:
            return low, high
        first, last = grid.format.operand_range
        low = None if low is None or _code(grid, low) == first else low
        high = None if high is None or _code(grid, high) == last else high
        if high is not None or low not in (None, 0):
            self.bytewise.add(tensor.name)
        return low, high

    def given(self, sheet: Sheet, tensor: Tensor, codes: bool) -> tuple[int, str]:
        """Quantize a real input; an input of codes is only dequantized."""
        if not codes:
            target = sheet.name(f"{tensor.name}/codes")
            return TensorProto.FLOAT, self._quantized(sheet, tensor, tensor.name, target, f"{tensor.name}/decoded")
        element = stored_type(tensor, self.least_bits)
        return element.code, self._dequantized(
            sheet, tensor, tensor.name, element, sheet.name(f"{tensor.name}/decoded")
        )

    def result(self, sheet: Sheet, tensor: Tensor, real: str, is_output: bool, moved: bool) -> str:
        """Quantize and dequantize a result; runtimes want that around moves too, which need no Clip."""
        apart = is_output or real == tensor.name
        codes = sheet.name(f"{tensor.name}/codes") if apart else tensor.name
        decoded = tensor.name if is_output else f"{tensor.name}/decoded"
        return self._quantized(sheet, tensor, real, codes, decoded, own=is_output, moved=moved)

    def constant(self, sheet: Sheet, tensor: Tensor) -> str:
        """Store codes, and dequantize them into the tensor's name; those of a table are looked up."""
        if is_table(tensor.quant):
            return looked_up(sheet, tensor)
        tensor = blocked(tensor)
        element = self._stored(tensor)
        stored = sheet.store(code_tensor(tensor.encoded(), element), sheet.name(f"{tensor.name}/codes"))
        assert tensor.quant is not None
        if tensor.quant.format.bits < element.bits == BYTE:
            stored = _clipped_codes(sheet, tensor, stored, element)
        return self._dequantized(sheet, tensor, stored, element, tensor.name)

    def reinterpreted(
        self, sheet: Sheet, node: Node, source: Tensor, target: Tensor, real: str, is_output: bool
    ) -> str:
        """Dequantize the codes of ``source`` with the scale of ``target``."""
        if source.name not in self.codes:
            raise GraphError(
                f"node {node.name!r}: the codes of {source.name!r} are too wide for QuantizeLinear, so they cannot be read on "
                "another grid; write the network as QONNX"
            )
        codes, element = self.codes[source.name]
        decoded = target.name if is_output else sheet.name(f"{target.name}/decoded")
        return self._dequantized(sheet, target, codes, element, decoded)

    def _stored(self, tensor: Tensor) -> ElementType:
        """Return the element type of a constant: bytes where ONNX has no type of the width, so that a Clip can tell it."""
        element = stored_type(tensor, self.least_bits)
        assert tensor.quant is not None
        return stored_type(tensor, BYTE) if tensor.quant.format.bits < element.bits < BYTE else element

    def _computed(self, tensor: Tensor) -> ElementType | None:
        grid = tensor.quant
        assert grid is not None
        found = result_type(grid, tensor.name, self.least_bits)
        if found is not None and found.bits < BYTE and (tensor.name in self.bytewise or needs_clip(grid, found)):
            return result_type(grid, tensor.name, BYTE)
        return found

    def _quantized(
        self,
        sheet: Sheet,
        tensor: Tensor,
        real: str,
        codes: str,
        decoded: str,
        *,
        own: bool = False,
        moved: bool = False,
    ) -> str:
        grid, element = tensor.quant, self._computed(tensor)
        assert grid is not None
        if element is None:
            sheet.note(f"{grid.format} codes, which QuantizeLinear lacks, are real in the file", tensor.name)
            return sheet.emit("Identity", f"{tensor.name}/real", [real], [decoded]) if own else real
        _check_rounding(sheet, tensor)
        if needs_clip(grid, element) and not moved:
            real = _clipped(sheet, tensor, real, element)
        operands = [real, *_grid_constants(sheet, tensor, element)]
        sheet.emit("QuantizeLinear", f"{tensor.name}/quantize", operands, [codes], **_granularity(grid))
        return self._dequantized(sheet, tensor, codes, element, decoded if own else sheet.name(decoded))

    def _dequantized(self, sheet: Sheet, tensor: Tensor, codes: str, element: ElementType, decoded: str) -> str:
        assert tensor.quant is not None
        self.codes[tensor.name] = codes, element
        operands = [codes, *_grid_constants(sheet, tensor, element)]
        attributes = _granularity(tensor.quant)
        return sheet.emit("DequantizeLinear", f"{tensor.name}/dequantize", operands, [decoded], **attributes)


def _clipped_codes(sheet: Sheet, tensor: Tensor, codes: str, element: ElementType) -> str:
    """Keep stored codes, which have the range already, in the range of a format that ONNX lacks: readers see its width (QCDQ)."""
    assert tensor.quant is not None
    ends = [
        sheet.store(code_tensor(np.array(end, dtype=np.int64), element), sheet.name(f"{tensor.name}/{side}"))
        for side, end in zip(("lowest", "highest"), tensor.quant.format.operand_range, strict=True)
    ]
    return sheet.emit("Clip", f"{tensor.name}/range", [codes, *ends], [sheet.name(f"{tensor.name}/in_range")])


def _code(grid: QuantParams, real: float) -> int:
    return int(grid.encode(np.full((1,) * (1 + (grid.granularity.axis or 0)), real, dtype=np.float32)).reshape(-1)[0])


def _grid_constants(sheet: Sheet, tensor: Tensor, element: ElementType) -> list[str]:
    """Store scale and zero point."""
    grid = tensor.quant
    assert grid is not None
    shape = grid.granularity.scale_shape(tensor.shape)
    scale = sheet.constant(f"{tensor.name}/scale", grid.scales().reshape(shape))
    zero_point = code_tensor(grid.zero_points().reshape(shape), element)
    return [scale, sheet.store(zero_point, sheet.name(f"{tensor.name}/zero_point"))]


def _granularity(grid: QuantParams) -> dict[str, Any]:
    attributes = {} if grid.granularity.axis is None else {"axis": grid.granularity.axis}
    return attributes if grid.granularity.block is None else {**attributes, "block_size": grid.granularity.block}


def _clipped(sheet: Sheet, tensor: Tensor, real: str, element: ElementType) -> str:
    assert tensor.quant is not None
    if tensor.quant.granularity.axis is not None:
        raise GraphError(
            f"tensor {tensor.name!r}: {tensor.quant.format} with a scale per channel needs a Clip per channel, which ONNX "
            "lacks; quantize it per tensor, or write the network as QONNX"
        )
    ends = np.array([tensor.quant.integers.minimum, tensor.quant.integers.maximum], dtype=np.int64)
    low, high = tensor.quant.decode(ends).tolist()
    sheet.note(
        f"{tensor.quant.format} codes are stored in {element.bits} bits, and a Clip keeps their range", tensor.name
    )
    return write_clamp(sheet, f"{tensor.name}/range", low, high, real)


def _check_rounding(sheet: Sheet, tensor: Tensor) -> None:
    grid = tensor.quant
    assert grid is not None
    if grid.rounding is not Rounding.HALF_EVEN:
        raise GraphError(
            f"tensor {tensor.name!r} rounds {grid.rounding}, and QuantizeLinear only half_even; write the network as QONNX"
        )
    if grid.order is QuantOrder.OFFSET_CLAMP_ROUND and any(value % 2 for value in grid.zero_point):
        sheet.note("an odd zero point is added before rounding, by QuantizeLinear after it: ties differ", tensor.name)
