"""Is the index right about its files, and clear about what is wrong?"""

from __future__ import annotations

import hashlib

import pytest

from hwsim import zoo
from hwsim.errors import HwsimError
from hwsim.zoo.index import verified

TRAINED = ("digits_mobilenet", "digits_resnet")


def test_trained_models_come_first():
    assert zoo.names()[:2] == TRAINED
    assert len(zoo.names()) == 11


def test_only_topologies_warn():
    assert [name for name in zoo.names() if not zoo.entry(name).warning] == list(TRAINED)
    assert "not trained" in zoo.entry("resnet50").warning


@pytest.mark.parametrize("name", TRAINED)
def test_checksums(name, models):
    entry = zoo.entry(name)
    files = [(entry.file, entry.sha256), *((data.file, data.sha256) for data in entry.datasets)]
    for file, sha256 in files:
        assert hashlib.sha256((models / file).read_bytes()).hexdigest() == sha256, file


def test_unknown_name_suggests_the_closest():
    with pytest.raises(HwsimError, match=r"^zoo: there is no model 'resnet5'; did you mean 'resnet50'\?$"):
        zoo.entry("resnet5")


def test_unknown_role_suggests_the_closest():
    with pytest.raises(HwsimError, match=r"no data in role 'tests'; did you mean 'test'\?$"):
        zoo.dataset("digits_resnet", "tests")


def test_topology_has_no_data():
    with pytest.raises(HwsimError, match=r"^zoo: vgg19 is not trained and has no data set; .*natural_images"):
        zoo.dataset("vgg19", "test")


def test_trained_model_has_no_seed():
    with pytest.raises(HwsimError, match=r"its seed must be 0, not 3"):
        zoo.load_model("digits_resnet", seed=3)


def test_damaged_file_is_refused():
    with pytest.raises(
        HwsimError, match=r"digits_resnet\.onnx: sha256 must be 00 as zoo\.toml says, not [0-9a-f]{64}; "
    ):
        verified("digits_resnet.onnx", "00")


def test_missing_file_is_named():
    with pytest.raises(HwsimError, match=r"nothing\.onnx is missing; reinstall hwsim"):
        verified("nothing.onnx", "00")
