"""Rows of a comparison as W&B has them."""

from experiments._base.log_comparison import _means, _table

ROWS = [
    {"method": "wiener", "axis": "dose", "value": 0.3, "nmse": 1.5},
    {"method": "wiener", "axis": "kind", "value": "TMV", "nmse": 0.5},
]


def test_names_and_numbers_of_an_axis_share_a_column_as_text():
    table = _table(ROWS)
    assert table.columns == ["method", "axis", "value", "nmse"]
    assert table.data == [["wiener", "dose", "0.3", 1.5], ["wiener", "kind", "TMV", 0.5]]
    assert _means(ROWS) == {"nmse": 1.0}
