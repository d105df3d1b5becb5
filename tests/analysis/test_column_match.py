import pytest
import torch

from difftem.analysis.column_match import column_scores, match_columns


def test_scores_of_a_hand_counted_case():
    true = torch.tensor([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]])
    found = torch.tensor([[10.5, 0.0], [0.0, 0.5], [20.0, 4.0]])
    match = match_columns(found, true, 2.0)
    assert sorted(zip(match.found.tolist(), match.true.tolist(), strict=True)) == [(0, 1), (1, 0)]
    assert match.distances.tolist() == pytest.approx([0.5, 0.5])
    assert match.scores == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 4, "f1": 4 / 7, "jaccard": 2 / 5}
    )


def test_one_true_column_is_paired_once_and_as_many_pairs_as_possible_are_made():
    true = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
    # The nearest pair of all, (found 0, true 1), would leave the other two without a partner.
    found = torch.tensor([[2.0, 0.0], [4.9, 0.0]])
    match = match_columns(found, true, 2.0)
    assert match.scores["f1"] == 1.0
    twice = match_columns(torch.tensor([[0.1, 0.0], [-0.1, 0.0]]), true[:1], 2.0)
    assert twice.scores["precision"] == 0.5


def test_nothing_found_and_nothing_there():
    nothing, one = torch.zeros(0, 2), torch.zeros(1, 2)
    assert match_columns(nothing, one, 1.0).scores == {
        "precision": 1.0,
        "recall": 0.0,
        "f1": 0.0,
        "jaccard": 0.0,
    }
    assert column_scores(0, 0, 0) == dict.fromkeys(("precision", "recall", "f1", "jaccard"), 1.0)


def test_a_tolerance_is_positive():
    with pytest.raises(ValueError, match="tolerance must be positive, got 0"):
        match_columns(torch.zeros(1, 2), torch.zeros(1, 2), 0.0)
