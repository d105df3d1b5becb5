import logging

from difftem.io.account import counted, give_account


def test_a_line_names_the_file_what_it_gave_and_what_was_left(caplog):
    caplog.set_level(logging.INFO)
    line = give_account("/data/6z6u.pdb.gz", ["304 atoms", "B 12-95 Å²"], ["1159 waters"])
    assert line == "6z6u.pdb.gz: 304 atoms, B 12-95 Å²; not used: 1159 waters"
    assert caplog.messages == [line]


def test_nothing_is_said_to_be_left_where_nothing_was():
    assert give_account("map.mrc", ["24 x 24 x 24 voxels of 3 Å"]) == (
        "map.mrc: 24 x 24 x 24 voxels of 3 Å"
    )


def test_one_thing_is_not_called_several():
    assert [counted(n, "atom") for n in (0, 1, 2, 12345)] == [
        "0 atoms",
        "1 atom",
        "2 atoms",
        "12 345 atoms",
    ]
