import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.numerics.metrics import cosine, max_abs_error, sqnr_db

inf = float("inf")


@pytest.mark.parametrize(
    ("reference", "value", "decibel", "error", "angle"),
    [
        ([3, 4], [3, 4], inf, 0, 1),
        ([10, 0], [9, 0], 20, 1, 1),
        ([0, 0], [0, 0], inf, 0, 1),
        ([0, 0], [0, 2], -inf, 2, 0),
        ([2, 0], [0, 0], 0, 2, 0),
        ([1, 0], [-1, 0], -6.020599913, 2, -1),
        ([], [], inf, 0, 1),
        ([1e300, 0], [9e299, 0], 20, 1e299, 1),
        ([1e-300, 0], [9e-301, 0], 20, 1e-301, 1),
    ],
)
def test_every_corner_is_defined(reference, value, decibel, error, angle):
    reference, value = np.array(reference, float), np.array(value, float)
    assert sqnr_db(reference, value) == pytest.approx(decibel)
    assert max_abs_error(reference, value) == pytest.approx(error)
    assert cosine(reference, value) == pytest.approx(angle)


@pytest.mark.parametrize("metric", [sqnr_db, max_abs_error, cosine])
def test_what_cannot_be_compared_is_refused(metric):
    with pytest.raises(HwsimError, match=r"shapes differ: \(2,\) and \(3,\)"):
        metric(np.ones(2), np.ones(3))
    with pytest.raises(HwsimError, match="holds infinity or NaN"):
        metric(np.array([np.nan]), np.ones(1))


def test_integers_do_not_wrap():
    assert max_abs_error(np.array([127], np.int8), np.array([-128], np.int8)) == 255
    assert sqnr_db(np.array([100, 100], np.int8), np.array([90, 110], np.int8)) == pytest.approx(20)
