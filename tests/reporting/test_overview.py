"""The headlines of a result."""

from dataclasses import replace

import pytest

import hwsim
from hwsim.reporting.overview import facts


@pytest.mark.parametrize(
    ("hardware", "words"),
    [("edge_16x16", "run in integers"), ("edge_16x16_fp16", "products of fp16 summed in fp32")],
)
def test_images_say_in_which_numbers_they_ran(result, hardware, words):
    manifest = {**result.manifest, "accelerator": hwsim.accelerator(hardware).model_dump(mode="json")}
    (fact,) = (fact for fact in facts(replace(result, manifest=manifest)) if fact.label == "images")
    assert fact.detail == words


def test_a_result_without_its_machine_ran_in_integers(result):
    (fact,) = (fact for fact in facts(replace(result, manifest={})) if fact.label == "images")
    assert fact.detail == "run in integers"
