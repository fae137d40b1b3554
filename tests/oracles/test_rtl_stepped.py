"""The registers of the stepped array on the operands of published RTL: its integers, and the cycles of the law that it obeys.

Where a record's outputs have passed an output stage, the integers in front of it are compared; ``test_rtl`` takes them
through the stage.
"""

import numpy as np
import pytest

from hwsim.cost.array_cycles import gemm_cycles
from hwsim.kernels.mac import accumulate_gemm
from hwsim.stepped import Fold, run_folds, run_mapping
from hwsim.stepped.gemm import fold_spans
from tests.oracles.reference_data import each_file
from tests.oracles.rtl_designs import design_of
from tests.oracles.test_rtl import ARRAYS, mapping_of, records

pytestmark = pytest.mark.oracle


def in_front_of_the_output_stage(record, mapping, operands, registers):
    if "bits_out" in record or "out_shift" in record:
        return accumulate_gemm(
            *operands, mapping.k_segments, **registers, a_range=mapping.gemm.ifmap.operand_range
        ).values
    return np.array(record["OUT"])


@each_file(*ARRAYS)
def test_integers_and_cycles(path):
    wrong = []
    for index, record in records(path):
        run = design_of(record).run(record)
        mapping, datapath = mapping_of(run), run.machine.datapath
        bias = record.get("BIAS")
        start = 0 if bias is None else np.array(bias, dtype=np.int64)
        registers = {"psum": datapath.psum, "accumulator": datapath.accumulator, "start": start}
        operands = [np.array(record[name], dtype=np.int64) for name in "AW"]
        stepped = run_mapping(mapping, *operands, **registers)
        if not np.array_equal(stepped.values, in_front_of_the_output_stage(record, mapping, operands, registers)):
            wrong.append((index, "integers"))
        law = gemm_cycles(run.array, record["M"], record["K"], record["N"]).total
        if stepped.run.cycles != law:
            wrong.append((index, "cycles", law, stepped.run.cycles))
    assert not wrong


@each_file("rtl/os_*.json")
def test_bias_rows_go_through_the_chain(path):
    """Where a bench sends the bias in front of the operands, the registers take it through the chain, in as many cycles."""
    timed = [(i, record) for i, record in records(path) if "total_from_first_bias" in record["cycles_by_event"]]
    if not timed:
        pytest.skip(f"{path.name}: no record of an array into which the bias is shifted")
    wrong = []
    for index, record in timed:
        run = design_of(record).run(record)
        psum, mapping = run.machine.datapath.psum, mapping_of(run)
        a, w = (np.array(record[name], dtype=np.int64) for name in "AW")
        bias = np.zeros((record["M"], record["N"]), np.int64) if record["BIAS"] is None else np.array(record["BIAS"])
        spans = list(fold_spans(mapping))
        folds = [
            Fold(ifmap=a[span["m"], span["k"]], weight=w[span["k"], span["n"]], start=bias[span["m"], span["n"]])
            for span in spans
        ]
        stepped = run_folds(run.array, folds, psum=psum)
        if stepped.cycles != record["cycles_by_event"]["total_from_first_bias"]:
            wrong.append((index, stepped.cycles, record["cycles_by_event"]["total_from_first_bias"]))
        exact = a @ w + bias
        for span, fold in zip(spans, stepped.folds, strict=True):
            wrapped = (exact[span["m"], span["n"]] - psum.minimum) % (1 << psum.bits) + psum.minimum
            if not np.array_equal(fold.values, wrapped):
                wrong.append((index, "integers"))
    assert not wrong
