"""Arrays of every element type that ONNX stores codes in."""

import numpy as np
import onnx
import pytest
from onnx import helper

from hwsim.interchange.onnx.element_types import format_of, stored
from hwsim.interchange.reading.stored import codes_of, format_of_array

TYPES = {name: number for name, number in onnx.TensorProto.DataType.items() if number in helper.get_all_tensor_dtypes()}


@pytest.mark.parametrize("name", TYPES)
def test_the_type_of_an_array_tells_the_format_of_its_codes(name):
    dtype = helper.tensor_dtype_to_np_dtype(TYPES[name])
    assert format_of_array(np.zeros(3, dtype)) == format_of(TYPES[name])


@pytest.mark.parametrize("name", [name for name, number in TYPES.items() if format_of(number) is not None])
def test_codes_survive_being_stored(name):
    number = format_of(TYPES[name])
    codes = np.arange(1 << min(number.bits, 8)).astype(number.storage_dtype)
    if hasattr(number, "minimum"):
        codes = np.arange(number.minimum, min(number.maximum, number.minimum + 255) + 1).astype(number.storage_dtype)
    np.testing.assert_array_equal(codes_of(stored(codes, TYPES[name]), number), codes)
