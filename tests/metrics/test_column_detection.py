import pytest
import torch

from difftem.analysis.column_match import column_scores, match_columns
from difftem.metrics.column_detection import ColumnDetection


def test_pairs_are_added_over_images(generator):
    metric, pairs, found, true = ColumnDetection(2.0), 0, 0, 0
    for n, m in ((12, 9), (5, 20)):
        a, b = (20 * torch.rand(k, 2, generator=generator) for k in (n, m))
        metric.update(a, b)
        pairs, found, true = pairs + len(match_columns(a, b, 2.0).found), found + n, true + m
    assert 0 < pairs < 14
    expected = column_scores(pairs, found, true)
    assert {k: float(v) for k, v in metric.compute().items()} == pytest.approx(expected)


def test_a_tolerance_is_positive():
    with pytest.raises(ValueError, match="tolerance must be positive, got -1"):
        ColumnDetection(-1.0)
