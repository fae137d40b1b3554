"""The algebra of edge transforms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.quantization.transforms.edge_transform import EdgeTransform


@st.composite
def transforms(draw, channels=5):
    values = st.lists(st.floats(-3, 3), min_size=channels, max_size=channels)
    return EdgeTransform.of(
        channels,
        scale=2.0 ** np.array(draw(values)),
        shift=draw(values),
        permutation=draw(st.permutations(range(channels))),
    )


X = np.random.default_rng(0).normal(size=(3, 5))


def test_a_transform_is_its_equation():
    made = EdgeTransform.of(3, scale=[1.0, 2.0, 4.0], shift=[0.0, 1.0, 2.0], permutation=[2, 0, 1])
    assert made.apply(np.array([10.0, 20.0, 30.0])).tolist() == [30.0, 4.5, 4.5]


@given(transforms())
def test_the_inverse_undoes_it(made):
    np.testing.assert_allclose(made.inverse().apply(made.apply(X)), X, atol=1e-9)
    np.testing.assert_allclose(made.apply(made.inverse().apply(X)), X, atol=1e-9)


@given(transforms(), transforms(), transforms())
def test_composition_is_one_after_the_other_and_associative(first, second, third):
    np.testing.assert_allclose(first.then(second).apply(X), second.apply(first.apply(X)), atol=1e-9)
    left, right = first.then(second).then(third), first.then(second.then(third))
    np.testing.assert_allclose(left.scale, right.scale)
    np.testing.assert_allclose(left.shift, right.shift, atol=1e-9)
    np.testing.assert_array_equal(left.permutation, right.permutation)


@given(transforms())
def test_the_parts_compose_to_the_whole(made):
    permutation, shift, scale = made.parts()
    np.testing.assert_allclose(permutation.then(shift).then(scale).apply(X), made.apply(X), atol=1e-9)


@given(transforms())
def test_runs_of_a_flattened_image_move_as_their_channel(made):
    images = np.random.default_rng(1).normal(size=(2, 5, 3, 2))
    flat = made.repeated(6).apply(images.reshape(2, 30))
    np.testing.assert_allclose(flat, made.apply(images, axis=1).reshape(2, 30))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"scale": [1.0, 0.0]}, "edge transform: scales must be positive and finite, not 0"),
        ({"scale": [1.0, np.inf]}, "edge transform: scales must be positive and finite, not 1"),
        ({"shift": [0.0, np.nan]}, "edge transform: shifts must be finite"),
        ({"permutation": [0, 0]}, r"edge transform: \[0, 0\] is no order of 2 channels"),
        ({"permutation": [0, 1, 2]}, "one value per channel"),
    ],
)
def test_what_is_no_transform(parts, message):
    with pytest.raises(HwsimError, match=message):
        EdgeTransform.of(2, **parts)
