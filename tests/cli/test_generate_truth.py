"""What a set says of itself: names, optics groups, micrographs and templates."""

import csv

import gemmi
import mrcfile
import numpy as np
import pytest

from difftem.io.star import read_star


def test_every_micrograph_has_a_name_of_its_own_and_its_defocus_in_one_table(generate):
    code, _, folder = generate(
        "--micrographs", 3, "--variation.defocus_um", "[0.8, 2.5]",
        "--microscope.phase_shift_deg", 30, "--microscope.astigmatism_um", 0.05,
    )  # fmt: skip
    assert code == 0
    tables = read_star(folder / "micrographs.star")
    names = tables["micrographs"]["rlnMicrographName"]
    assert names == [f"{i:06d}/micrograph_{i:06d}.mrc" for i in range(3)]
    assert all((folder / name).is_file() for name in names)
    assert tables["optics"]["rlnOpticsGroupName"] == ["opticsGroup1"]
    assert tables["micrographs"]["rlnOpticsGroup"] == ["1"] * 3
    assert {float(each) for each in tables["micrographs"]["rlnPhaseShift"]} == {30.0}
    with (folder / "summary.csv").open() as file:
        drawn = [float(row["defocus_um"]) for row in csv.DictReader(file)]
    for column, half in (("rlnDefocusU", 500), ("rlnDefocusV", -500)):
        found = [float(each) for each in tables["micrographs"][column]]
        assert found == pytest.approx([1e4 * each + half for each in drawn], abs=1e-3)
    particles = read_star(folder / "particles.star")["particles"]
    assert sorted(set(particles["rlnMicrographName"])) == names


def test_templates_lie_over_the_atoms_they_were_made_of(generate, tmp_path, pdb):
    structure = gemmi.read_structure(str(pdb))
    for atom in structure[0].all():
        atom.atom.pos += gemmi.Position(100, -40, 7)
    structure.write_pdb(str(tmp_path / "moved.pdb"))
    weights = {"C": 2.51, "O": 1.98}  # forward scattering, Å
    atoms = [each.atom for each in structure[0].all()]
    mass = np.array([weights[atom.element.name] for atom in atoms])
    places = np.array([atom.pos.tolist() for atom in atoms])
    code, _, folder = generate(
        "--ice.present", "false", particles=f"[{{name: p, source: {tmp_path}/moved.pdb, count: 1}}]"
    )
    assert code == 0
    with mrcfile.open(folder / "templates" / "p.mrc") as mrc:
        values, voxel = mrc.data.astype(float), float(mrc.voxel_size.x)
        origin = [float(mrc.header.origin[axis]) for axis in "xyz"]
        assert mrc.is_volume()
    index = np.stack(np.meshgrid(*map(np.arange, values.shape), indexing="ij"), -1)[..., ::-1]
    found = (index * voxel + origin) * values[..., None]
    centroid = found.sum((0, 1, 2)) / values.sum()
    assert centroid == pytest.approx((mass[:, None] * places).sum(0) / mass.sum(), abs=0.1)
    (row,) = csv.DictReader((folder / "templates" / "templates.csv").read_text().splitlines())
    center = (places.min(0) + places.max(0)) / 2
    assert [float(row[f"center_{axis}"]) for axis in "xyz"] == pytest.approx(center, abs=1e-2)
    assert (row["particle"], row["source"]) == ("p", "moved.pdb")
    assert float(row["voxel_size"]) == pytest.approx(voxel)
