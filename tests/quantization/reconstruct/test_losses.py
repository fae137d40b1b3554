import numpy as np
import pytest

from hwsim.quantization.reconstruct.losses import kl, moments, mse

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')


def pair(shape):
    rng = np.random.default_rng(0)
    return [torch.from_numpy(rng.normal(size=shape)) for _ in range(2)]


def test_mse_weighs_each_difference():
    value, target = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0])
    assert float(mse(value, target, None)) == 2.5
    assert float(mse(value, target, torch.tensor([3.0, 1.0]))) == 3.5


@pytest.mark.parametrize(("shape", "axes"), [((2, 3, 4, 5), (0, 2, 3)), ((6, 7), (0,)), ((2, 5, 7), (0, 1))])
def test_moments_are_compared_per_channel(shape, axes):
    value, target = pair(shape)
    a, b = value.numpy(), target.numpy()
    expected = np.mean(np.abs(a.mean(axes) - b.mean(axes)) + np.abs(a.var(axes) - b.var(axes)))
    assert float(moments(value, target, None)) == pytest.approx(expected)


def test_divergence_is_its_definition_and_ignores_a_common_offset():
    value, target = pair((4, 6))
    p, q = (np.exp(x.numpy()) / np.exp(x.numpy()).sum(1, keepdims=True) for x in (target, value))
    assert float(kl(value, target, None)) == pytest.approx(np.mean((p * np.log(p / q)).sum(1)))
    assert float(kl(target + 5.0, target, None)) == pytest.approx(0.0, abs=1e-12)
