import subprocess
import sys

import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.reconstruct.session import need_torch, one_thread


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')


def test_settings_are_given_back(torch):
    torch.set_num_threads(2)
    with torch.no_grad():
        with one_thread():
            assert torch.get_num_threads() == 1
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    assert torch.get_num_threads() == 2


def test_settings_are_given_back_after_an_error(torch):
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def test_an_absent_pytorch_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(HwsimError, match=r'adaround: needs PyTorch, .* pip install "hwsim\[train\]"'):
        need_torch("adaround")


def test_steps_are_made_without_pytorch():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from hwsim.quantization.reconstruct import AdaRound, Brecq\n"
        "AdaRound(), Brecq()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
