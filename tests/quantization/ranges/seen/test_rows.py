import numpy as np

from hwsim.quantization.ranges.seen.rows import KEPT_VALUES, Rows


def test_the_first_rows_are_kept_whatever_the_batches():
    logits = np.random.default_rng(0).normal(size=(50, KEPT_VALUES // 20)).astype(np.float32)
    found = []
    for chunks in (1, 7):
        rows = Rows()
        for part in np.array_split(logits, chunks):
            rows.update(part)
        found.append(rows.values)
    assert found[0].shape == (20, KEPT_VALUES // 20)
    assert (found[0] == found[1]).all()
    assert (found[0] == logits[:20]).all()


def test_classes_of_a_map_are_its_channels():
    rows = Rows()
    logits = np.arange(24, dtype=np.float32).reshape(1, 3, 2, 4)
    rows.update(logits)
    assert rows.values.shape == (8, 3)
    assert rows.values[0].tolist() == logits[0, :, 0, 0].tolist()
