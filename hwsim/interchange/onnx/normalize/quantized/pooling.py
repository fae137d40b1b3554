"""com.microsoft's averages on codes: the plain operator on grids."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.pooling import global_pool, pool
from hwsim.interchange.onnx.normalize.quantized.operands import operand_grid, result_grid
from hwsim.interchange.onnx.normalize.reduction import reduce_mean
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import put_on, read_on
from hwsim.interchange.reading.draft import Draft

_PLAIN: dict[str, Normalizer] = {
    "AveragePool": pool,
    "GlobalAveragePool": global_pool,
    "ReduceMean": reduce_mean,
}


def average(operator: Operator, draft: Draft) -> None:
    """QLinearAveragePool, QLinearGlobalAveragePool and QLinearReduceMean."""
    if operator.get("channels_last", 0):
        raise GraphError("channels_last=1 is not supported; export the model with channels first")
    name = operator.op.removeprefix("com.microsoft.QLinear")
    grid = operand_grid(operator, draft, 0)
    plain = operator.changed(op=name, inputs=(read_on(draft, operator.inputs[0], grid),))
    _PLAIN[name](plain, draft)
    output = operator.outputs[0]
    put_on(draft, output, result_grid(operator, draft, 3, grid, draft.shape(output)))


NORMALIZERS: dict[str, Normalizer] = {f"com.microsoft.QLinear{name}": average for name in _PLAIN}
