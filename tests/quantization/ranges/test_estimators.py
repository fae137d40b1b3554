import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.ranges import Observation, estimator, names

RNG = np.random.default_rng(3)
NORMAL = RNG.normal(size=20_000).astype(np.float32)
OUTLIERS = np.concatenate([NORMAL, np.float32([60.0])])


def squared_error(values, span, number, symmetric):
    grid = params_of_ranges([span], number, symmetric=symmetric, power_of_two=False)
    return float(np.square(grid.decode(grid.encode(values)) - values).sum())


def test_every_file_of_the_folder_is_an_estimator():
    assert names() == ("minmax", "mse", "percentile")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("values", [NORMAL, np.abs(NORMAL), -np.abs(NORMAL), OUTLIERS, np.zeros(5, np.float32)])
def test_ranges_stay_inside_what_was_seen(name, symmetric, values):
    low, high = estimator(name)(Observation.of(values), IntFormat.parse("int6"), symmetric)
    assert min(values.min(), 0) - 1e-6 <= low <= high <= max(values.max(), 0) + 1e-6


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("values", [NORMAL, np.maximum(NORMAL, 0), OUTLIERS])
def test_mse_is_not_worse_than_minmax(bits, symmetric, values):
    number, seen = IntFormat(bits=bits), Observation.of(values)
    best = squared_error(values, estimator("mse")(seen, number, symmetric), number, symmetric)
    widest = squared_error(values, estimator("minmax")(seen, number, symmetric), number, symmetric)
    assert best <= widest * 1.02  # the histogram's bins are a 4096th of the range


def test_mse_clips_an_outlier_at_low_bits():
    low, high = estimator("mse")(Observation.of(OUTLIERS), IntFormat.parse("int4"), True)
    assert max(-low, high) < 10


def test_percentile_leaves_the_tails_out():
    low, high = estimator("percentile")(Observation.of(OUTLIERS), IntFormat.parse("int8"), False)
    assert high < 10
    assert low > NORMAL.min() - 1e-6


def test_observation_does_not_depend_on_how_values_are_cut_into_batches():
    whole, parts = Observation.of(OUTLIERS), Observation()
    for part in np.array_split(np.sort(OUTLIERS), 7):
        parts.update(part)
    assert (whole.minimum, whole.maximum) == (parts.minimum, parts.maximum)
    assert whole.counts.sum() == parts.counts.sum() == OUTLIERS.size


def test_an_unknown_estimator_is_named():
    with pytest.raises(HwsimError, match=r"range estimator: 'msee' is unknown; did you mean 'mse'\?"):
        estimator("msee")
