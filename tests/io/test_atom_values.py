import pytest

from difftem.io.errors import InputError
from difftem.io.structure import read_structure
from tests.helpers.structures import CIF_COLUMNS, bare_line, cif, line, said, write

ROWS = [f"ATOM {i} C CA . GLY A 1 {i} {3 * i} 2 3 1 20" for i in range(1, 5)]


def test_a_negative_b_factor_is_refused_with_advice_and_replaced_on_request(tmp_path):
    rows = [*ROWS[:2], ROWS[2].replace(" 20", " -3.2"), ROWS[3]]
    mmcif = write(tmp_path / "negative.cif", cif(*rows))
    pdb = write(tmp_path / "negative.pdb", line(7, "CA", 0.0, b=-3.2))
    for path in (mmcif, pdb):
        with pytest.raises(InputError, match=r"B-factor must be >= 0 Å², got -3.2.*b_factor sets"):
            read_structure(path)
    with said() as lines:
        assert read_structure(mmcif, b_factor=20.0).b_factors.tolist() == [20.0] * 4
    assert "B 20 Å² of every atom as asked" in lines[0]


def test_occupancies_that_are_all_0_are_refused_with_advice_and_replaced_on_request(tmp_path):
    text = "".join(line(i, "CA", 2.0 * i, occ=0.0, number=i) for i in range(1, 5))
    rows = [each.replace(" 1 20", " 0 20") for each in ROWS]
    for path in (write(tmp_path / "z.pdb", text), write(tmp_path / "z.cif", cif(*rows))):
        with pytest.raises(
            InputError, match=r"no atoms are left: every one has occupancy 0; structure.occupancy"
        ):
            read_structure(path)
        atoms = read_structure(path, occupancy=1.0)
        assert atoms.occupancies.tolist() == [1.0] * 4


def test_atoms_of_occupancy_0_are_left_and_counted(tmp_path):
    text = line(1, "CA", 0.0, number=1) + line(2, "CA", 9.0, occ=0.0, number=2)
    with said() as lines:
        assert len(read_structure(write(tmp_path / "one.pdb", text))) == 1
    assert lines[0].endswith("not used: 1 atom of occupancy 0")


def test_files_without_b_factors_get_the_default(tmp_path):
    columns = [each for each in CIF_COLUMNS if each != "B_iso_or_equiv"]
    bare = cif(*(each.removesuffix(" 20") for each in ROWS), columns=columns)
    unknown = cif(*(each.removesuffix("20") + "?" for each in ROWS))
    short = "".join(bare_line(" CA ", "GLY", i, 5.0 * i, tail="") for i in range(1, 5))
    blank = short.replace("3.000", f"3.000  1.00{'':16s}C")
    for name, text in (("a.cif", bare), ("b.cif", unknown), ("c.pdb", short), ("d.pdb", blank)):
        with said() as lines:
            atoms = read_structure(write(tmp_path / name, text), default_b_factor=7.0)
        assert atoms.b_factors.tolist() == [7.0] * 4
        assert atoms.occupancies.tolist() == [1.0] * 4
        assert "B 7 Å² (default_b_factor, the file has none)" in lines[0]
    some = write(tmp_path / "some.cif", cif(*ROWS[:3], ROWS[3].replace(" 20", " .")))
    assert read_structure(some, default_b_factor=7.0).b_factors.tolist() == [20.0] * 3 + [7.0]


def test_displacements_of_mmcif_give_b_factors(tmp_path):
    columns = [*CIF_COLUMNS[:-1], "U_iso_or_equiv"]
    rows = [each.replace(" 20", " 0.25") for each in ROWS]
    atoms = read_structure(write(tmp_path / "u.cif", cif(*rows, columns=columns)))
    assert atoms.b_factors.tolist() == pytest.approx([19.7392] * 4, rel=1e-5)  # 8π² 0.25 Å²


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" 20", " 1e39", "B-factor must be at most 100000 Å², got inf"),
        (" 20", " 2e5", "B-factor must be at most 100000 Å², got 200000"),
        (" 1 20", " 1e39 20", "occupancy must be at most 1000, got inf"),
        (" 1 20", " -1 20", "occupancy must be >= 0, got -1"),
        (" 2 3 ", " 2 1e30 ", "coordinates must lie within"),
        (" 2 3 ", " 2 1e999 ", "coordinate is not a number"),
    ],
)
def test_absurd_numbers_are_refused_in_one_line(tmp_path, old, new, message):
    path = write(tmp_path / "absurd.cif", cif(*ROWS[:3], ROWS[3].replace(old, new)))
    with pytest.raises(InputError, match=message) as refused:
        read_structure(path)
    assert "atom 4 'CA'" in str(refused.value)
    assert "\n" not in str(refused.value)


def predicted(header):
    """Two residues of a PDB file with the same B within each."""
    atoms = ("N", "CA", "C", "O", "CB", "CG")
    lines = [
        line(i, name, 1.5 * i + 10 * n, name[0], res="LEU", number=n, b=90.0 - n)
        for n in (1, 2)
        for i, name in enumerate(atoms)
    ]
    return header + "".join(lines)


@pytest.mark.parametrize(
    "header",
    [
        "TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR HEMOGLOBIN\n",
        "REMARK   1 PLDDT IN THE B COLUMN\n",
        "PARENT N/A\n",
        "EXPDTA    THEORETICAL MODEL (SWISS-MODEL SERVER)\n",
    ],
)
def test_confidence_of_predicted_pdb_files_is_no_b_factor(tmp_path, header):
    path = write(tmp_path / "af.pdb", predicted(header))
    with said() as lines:
        assert set(read_structure(path, default_b_factor=30.0).b_factors.tolist()) == {30.0}
    assert "B 30 Å² (default_b_factor)" in lines[0]
    assert lines[0].endswith("not used: B column, which holds confidence (pLDDT)")
    assert set(read_structure(path, b_factor=12.0).b_factors.tolist()) == {12.0}


def test_measured_structures_keep_their_b_factors_whatever_they_cite(tmp_path):
    header = "EXPDTA    X-RAY DIFFRACTION\nREMARK 200 STARTING MODEL: ALPHAFOLD PREDICTION\n"
    with said() as lines:
        atoms = read_structure(write(tmp_path / "xray.pdb", predicted(header)))
    assert set(atoms.b_factors.tolist()) == {89.0, 88.0}
    assert "one for each residue, as pLDDT is" in lines[0]


@pytest.mark.parametrize(
    ("facts", "confidence"),
    [
        ("_ma_qa_metric.id 1\n_ma_qa_metric.name pLDDT\n", "confidence (pLDDT)"),
        ("_ma_qa_metric.id 1\n_ma_qa_metric.name QMEANDisCo\n", "confidence (QMEANDisCo)"),
        ("_ma_data.id 1\n", "confidence (pLDDT)"),
        ("_database_2.database_id AlphaFoldDB\n", "confidence (pLDDT)"),
        ("_entry.id AF-P69905-F1\n", "confidence (pLDDT)"),
        ("_exptl.method 'X-RAY DIFFRACTION'\n_software.name AlphaFold\n", None),
        ("_entry.id 1ABC\n", None),
    ],
)
def test_confidence_of_predicted_mmcif_files_is_no_b_factor(tmp_path, facts, confidence):
    path = write(tmp_path / "af.cif", cif(*ROWS) + facts)
    with said() as lines:
        b_factors = read_structure(path).b_factors.tolist()
    assert set(b_factors) == ({20.0} if confidence is None else {0.5})
    assert ("B column, which holds" in lines[0]) == (confidence is not None)
    if confidence:
        assert lines[0].endswith(confidence)
