"""Integers and cycles of published array RTL, recorded edge by edge, come out of the product bit for bit and cycle for cycle."""

import json

import numpy as np
import pytest

from hwsim.kernels.mac import accumulate_gemm
from hwsim.kernels.requantize import requantize
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizers import definition
from tests.oracles.reference_data import each_file
from tests.oracles.rtl_designs import design_of

pytestmark = pytest.mark.oracle

ARRAYS = ("rtl/os_*.json", "rtl/ws_*.json", "rtl/is_*.json", "rtl/scalesim_rtl_*.json")


def records(path):
    """Every record of a file with its place; all of them are runs of an array."""
    found = list(enumerate(json.loads(path.read_text())))
    assert found, f"{path.name} holds no record"
    return found


def mapping_of(run):
    """The record's product as one tile: the array's folds are the record's tiles, in its order."""
    record = run.record
    m, k, n = (record[letter] for letter in "MKN")
    ifmap, weight = IntFormat(bits=record["bits_a"]), IntFormat(bits=record["bits_w"])
    work = Gemm(m=m, k=k, n=n, ifmap=ifmap, weight=weight, ofmap=IntFormat(bits=record["bits_acc"]))
    order = "nmk" if record.get("tile_order", "").startswith("for n_tile") else "mnk"
    return Mapping(gemm=work, array=run.array, tile_m=m, tile_k=k, tile_n=n, order=order)


def outputs(run):
    """Return (OUT as the product computes it, whether anything overflowed on the way)."""
    record, mapping, datapath = run.record, mapping_of(run), run.machine.datapath
    bias = record.get("BIAS")
    found = accumulate_gemm(
        np.array(record["A"], dtype=np.int32),
        np.array(record["W"], dtype=np.int32),
        mapping.k_segments,
        psum=datapath.psum,
        accumulator=datapath.accumulator,
        start=0 if bias is None else np.array(bias, dtype=np.int64),
        a_range=mapping.gemm.ifmap.operand_range,
    )
    bits = record.get("bits_out", record["bits_acc"] if "out_shift" in record else None)
    if bits is None:
        return found.values, bool(found.overflow_events)
    unit, code = datapath.requantizer.unit, IntFormat(bits=bits)
    constants = definition(unit.scheme).constants(np.array([2.0 ** -record.get("out_shift", 0)]), unit)
    done = requantize(found.values.reshape(-1, 1), constants, unit, 0, code.minimum, code.maximum)
    clipped = done.clipped_low + done.clipped_high
    return done.codes.reshape(found.values.shape), bool(found.overflow_events or clipped)


@each_file(*ARRAYS)
def test_integers(path):
    wrong = []
    for index, record in records(path):
        computed, overflowed = outputs(design_of(record).run(record))
        if not np.array_equal(computed, np.array(record["OUT"])):
            wrong.append((index, "OUT"))
        if record["overflow_occurs"] and not overflowed:
            wrong.append((index, "the RTL overflowed, the product did not count it"))
    assert not wrong


@each_file(*ARRAYS)
def test_cycles(path):
    wrong = []
    for index, record in records(path):
        design = design_of(record)
        run = design.run(record)
        expected, measured = design.events[record["dataflow"]](run), record["cycles_by_event"]
        assert "tiles" not in record or run.tiles == record["tiles"], f"{path.name} record {index}: tiles"
        compared = [name for name in measured if name in expected]
        assert compared, f"{path.name} record {index}: no event of {sorted(measured)} has a law"
        wrong += [
            (index, name, expected[name], measured[name]) for name in compared if expected[name] != measured[name]
        ]
    assert not wrong


@each_file(*ARRAYS)
def test_every_event_has_a_law(path):
    """An event that no law covers is named, not passed over."""
    bare = set()
    for index, record in records(path):
        design = design_of(record)
        known = set(design.events[record["dataflow"]](design.run(record))) | design.given
        bare |= {f"record {index}: {name}" for name in set(record["cycles_by_event"]) - known}
    if bare:
        pytest.skip(f"{path.name} has events without a law: {', '.join(sorted(bare))}")


def test_an_unknown_design_is_an_error():
    with pytest.raises(LookupError, match=r"somebody/else.*add it to DESIGNS"):
        design_of({"repo": "somebody/else", "file": "array.sv", "dataflow": "WS"})
    with pytest.raises(LookupError, match="dataflow 'IS'"):
        design_of({"repo": "cameronshinn/tiny-tpu", "file": "x", "dataflow": "IS"})
