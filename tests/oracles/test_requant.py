"""Requantizers and accumulators against C code and RTL that we did not write: every record of every file, no mismatch.

Each is compared twice: the fast kernel on whole columns, and the definition on unbounded integers value by value. What a unit
computes is read from its records (``unit_laws``), and the checks of the laws are in ``unit_checks``.
"""

import json

import numpy as np
import pytest

from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.rounding import Rounding
from tests.oracles import unit_checks  # noqa: F401  (registers the laws)
from tests.oracles.reference_data import each_file, files
from tests.oracles.requantizer_agreement import agree, computed
from tests.oracles.unit_laws import LAWS, claim_of

INT32 = -(1 << 31), (1 << 31) - 1
POWER_OF_TWO = Requantizer(scheme="power_of_two", rounding=Rounding.HALF_EVEN)
FLOAT = Requantizer(scheme="float32")
WITH_MULTIPLIER = {
    "tflite_double": Requantizer(scheme="tflite_double"),
    "cmsis": Requantizer(scheme="cmsis_nn"),
    "single": Requantizer(scheme="fixed_point", rounding=Rounding.HALF_UP),
}
OPERANDS = {"x", "mult", "shift", "sh", "scale_bits"}
RESULTS = (*WITH_MULTIPLIER, "gemmini_rshift", "gemmini_acc_scale")
each_unit_file = each_file("rtl/requant_*.json", "rtl/sat_*.json", "rtl/golden_c_*.json")


@pytest.fixture(scope="module", params=files("arithmetic/requant_c_golden*.npz"))
def columns(request):
    """The columns of one file by name."""
    with np.load(request.param) as arrays:
        return dict(zip(arrays["cols"].tolist(), arrays["data"].T, strict=True))


def operands(columns, result):
    """Return values, multipliers, shifts, the unit and the ends of the codes behind one column of results."""
    if result in WITH_MULTIPLIER:  # a shift above 0 is to the left there: x * mult * 2^(shift - 31)
        return columns["x"], columns["mult"], 31 - columns["shift"], WITH_MULTIPLIER[result], *INT32
    if result == "gemmini_rshift":
        return columns["x"], np.ones_like(columns["sh"]), columns["sh"], POWER_OF_TWO, *INT32
    scale = columns["scale_bits"].astype(np.uint32).view(np.float32)
    return columns["x"], scale, np.zeros(scale.shape, np.int64), FLOAT, -128, 127


def test_every_column_is_claimed(columns):
    assert columns.keys() <= {*OPERANDS, *RESULTS}, "a column of results without a requantizer"


@pytest.mark.parametrize("result", RESULTS)
def test_requantizers_in_c(columns, result):
    if result not in columns:
        pytest.skip(f"this file of reference data has no column {result}")
    agree(*operands(columns, result), columns[result])


@pytest.mark.parametrize(("one", "other"), [("tflite_double", "single"), ("cmsis", "single")])
def test_requantizers_differ_where_the_data_do(columns, one, other):
    """They are no aliases: on the rows that tell them apart, each gives its own result."""
    both = {one, other} <= columns.keys()
    apart = np.flatnonzero(columns[one] != columns[other]) if both else np.array([])
    if not apart.size:
        pytest.skip(f"no row of this file of reference data tells {one} from {other}")
    rows = {name: values[apart] for name, values in columns.items()}
    assert (computed(*operands(rows, one)) != computed(*operands(rows, other))).all()


def records(path):
    found = json.loads(path.read_text("utf-8"))
    assert found, f"{path.name} holds no records"
    return found


@each_unit_file
def test_every_unit_is_claimed(path):
    for index, record in enumerate(records(path)):
        try:
            claim_of(record)
        except LookupError as error:
            pytest.fail(f"{path.name}, record {index}: {error}")


@each_unit_file
def test_units(path):
    for index, record in enumerate(records(path)):
        law, match = claim_of(record)
        try:
            law.check(record, match)
        except Exception as error:
            error.add_note(f"{path.name}, record {index}: {law.name}")
            raise


def test_an_unknown_unit_is_an_error():
    """The message names the unit, its fields, and what each known law misses in it."""
    record = {"function": "y=x>>shift", "file": "shifter.v", "input": [1], "output": [0], "shift": 1}
    with pytest.raises(LookupError, match=r"no law for .*shifter\.v.* with the fields file, function") as caught:
        claim_of(record)
    for law in LAWS:
        assert f"\n  {law.name}: " in str(caught.value)


def test_an_unknown_text_of_known_fields_is_an_error():
    record = {"function": "y=#{i: T_i < x}", "thresholds": [1], "input": [1], "output": [0], "bits_out": 1}
    with pytest.raises(LookupError, match="FINN thresholding: function is not"):
        claim_of(record)
