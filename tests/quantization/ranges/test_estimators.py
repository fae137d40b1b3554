"""Every estimator found in the folder: on plain arrays, on batches, and by the loss that it minimizes."""

from typing import get_args

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.hardware.precision import Range
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.ranges import Observation, estimator, names, needs
from hwsim.quantization.ranges.cross_entropy import cross_entropies
from hwsim.quantization.ranges.observation import NEEDS

RNG = np.random.default_rng(3)
NORMAL = RNG.normal(size=20_000).astype(np.float32)
OUTLIERS = np.concatenate([NORMAL, np.float32([60.0])])
IMAGES = RNG.normal(size=(12, 6, 4, 4)).astype(np.float32) * np.array([1, 1, 1, 1, 1, 30], np.float32)[:, None, None]


def observed(values, needed, *, chunks=1, is_output=False):
    seen = Observation(needed, is_output=is_output)
    parts = np.array_split(values, chunks)
    for part in parts:
        seen.update(part, len(part))
    for part in parts:
        seen.update_again(part)
    seen.statistics = (float(values.min()), float(values.max())) if "statistics" in seen.needs else None
    return seen


def squared_error(values, span, number, symmetric):
    grid = params_of_ranges([span], number, symmetric=symmetric, power_of_two=False)
    return np.square(grid.decode(grid.encode(values)).astype(np.float64) - values)


def test_every_file_of_the_folder_is_an_estimator_with_its_name_in_plans():
    assert names() == tuple(sorted(get_args(Range)))


@pytest.mark.parametrize("name", names())
def test_what_an_estimator_needs_is_something_that_calibration_can_collect(name):
    assert needs(name) <= set(NEEDS)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("values", [NORMAL, np.abs(NORMAL), -np.abs(NORMAL), OUTLIERS, np.zeros(5, np.float32)])
def test_ranges_stay_inside_what_was_seen(name, symmetric, values):
    number = IntFormat.parse("int6")
    for seen in (Observation.of(values), observed(values.reshape(-1, 1), needs(name), is_output=True)):
        low, high = estimator(name)(seen, number, symmetric)
        assert min(values.min(), 0) - 1e-6 <= low <= high <= max(values.max(), 0) + 1e-6


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("is_output", [False, True])
def test_ranges_do_not_depend_on_how_images_are_cut_into_batches(name, is_output):
    number = IntFormat.parse("uint5")
    found = [
        estimator(name)(observed(IMAGES, needs(name), chunks=chunks, is_output=is_output), number, False)
        for chunks in (1, 5, 12)
    ]
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in names() if needs(name) != {"extremes"}])
def test_an_estimator_says_what_calibration_did_not_collect(name):
    with pytest.raises(
        HwsimError, match=r"range estimator: it reads '\w+', but calibration collected extremes; pass needs_of"
    ):
        estimator(name)(Observation(("extremes",)), IntFormat.parse("int8"), True)


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8, 12, 16])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("values", [NORMAL, np.maximum(NORMAL, 0), OUTLIERS])
def test_mse_is_never_worse_than_minmax(bits, symmetric, values):
    number = IntFormat(bits=bits)
    for seen, slack in ((Observation.of(values), 1e-6), (observed(values, needs("mse")), 0.02)):  # a bin is a 4096th
        best = squared_error(values, estimator("mse")(seen, number, symmetric), number, symmetric).sum()
        widest = squared_error(values, estimator("minmax")(seen, number, symmetric), number, symmetric).sum()
        assert best <= widest * (1 + slack)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_mse_is_near_the_best_of_a_full_search_of_both_ends(shift):
    number, values = IntFormat.parse("uint3"), (np.exp(NORMAL[:4000]) - shift).astype(np.float32)
    found = squared_error(values, estimator("mse")(Observation.of(values), number, False), number, False).sum()
    ends = [np.linspace(1, 0.02, 50) * end for end in (min(values.min(), 0), max(values.max(), 0))]
    best = min(
        squared_error(values, (low, high), number, False).sum() for low in np.unique(ends[0]) for high in ends[1]
    )
    assert found <= best * 1.02


def test_mse_clips_an_outlier_at_low_bits():
    low, high = estimator("mse")(Observation.of(OUTLIERS), IntFormat.parse("int4"), True)
    assert max(-low, high) < 10


def test_percentile_leaves_the_tails_out():
    low, high = estimator("percentile")(Observation.of(OUTLIERS), IntFormat.parse("int8"), False)
    assert high < 10
    assert low > NORMAL.min() - 1e-6


def test_moving_average_is_the_recurrence_over_images():
    low, high = estimator("moving_average")(
        observed(IMAGES, needs("moving_average"), chunks=3), IntFormat(bits=8), True
    )
    expected = np.array([IMAGES[0].min(), IMAGES[0].max()], np.float64)
    for image in IMAGES[1:]:
        expected = 0.9 * expected + 0.1 * np.array([image.min(), image.max()], np.float64)
    np.testing.assert_allclose((low, high), expected, rtol=1e-12)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_channel_majority_minimizes_the_mean_relative_error_of_the_channels(bits):
    number = IntFormat(bits=bits, signed=False)

    def relative(name):
        span = estimator(name)(observed(IMAGES, needs(name)), number, False)
        errors = squared_error(IMAGES, span, number, False).mean(axis=(0, 2, 3))
        return (errors / IMAGES.var(axis=(0, 2, 3))).mean()

    assert relative("channel_majority") <= relative("minmax") * 1.01
    assert relative("channel_majority") < relative("mse") * 0.9  # which follows the one loud channel


def test_a_channel_that_never_changes_has_no_say():
    dead = np.concatenate([IMAGES[:, :5], np.full_like(IMAGES[:, :1], 100.0)], axis=1)
    low, high = estimator("channel_majority")(
        observed(dead, needs("channel_majority")), IntFormat.parse("uint4"), False
    )
    assert high < 10
    assert low > -10


def test_cross_entropy_is_never_worse_than_minmax_by_its_own_loss():
    logits = (RNG.normal(size=(200, 10)) * 2).astype(np.float32)
    logits[:, 3] -= 40.0  # far below: its size does not matter to the softmax
    number = IntFormat.parse("uint4")

    def loss(name, needed):
        span = estimator(name)(observed(logits, needed, is_output=True), number, False)
        grid = params_of_ranges([span], number, symmetric=False, power_of_two=False)
        scale, zero = (np.array(each, np.float64) for each in (grid.scale, grid.zero_point))
        return cross_entropies(logits.astype(np.float64), scale, zero, number)[0]

    entropy = loss("cross_entropy", needs("cross_entropy"))
    assert entropy < loss("mse", needs("mse"))
    assert entropy < loss("minmax", needs("minmax"))


def test_cross_entropy_of_what_is_no_output_is_mse_by_rule():
    spans = [
        estimator(name)(observed(IMAGES, needs("cross_entropy")), IntFormat.parse("int3"), False)
        for name in ("cross_entropy", "mse")
    ]
    assert spans[0] == spans[1]


def test_an_unknown_estimator_is_named():
    with pytest.raises(HwsimError, match=r"range estimator: 'msee' is unknown; did you mean 'mse'\?"):
        estimator("msee")
