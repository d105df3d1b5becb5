import math

import pytest
import torch

from difftem.io.errors import InputError
from difftem.tem_simulator.files.exposure import tilt_defoci, tilt_doses
from difftem.tem_simulator.files.microscope import ElectronBeam, Optics
from difftem.tem_simulator.files.tables import write_defoci, write_doses

BEAM = {"acc_voltage_kv": 200.0, "energy_spread_ev": 1.3}
LENS = {
    "magnification": 3e4,
    "cs_mm": 2.0,
    "cc_mm": 2.0,
    "aperture_um": 50.0,
    "focal_length_mm": 3.0,
    "cond_ap_angle_mrad": 0.1,
}


def test_a_total_dose_is_shared_equally_and_wins():
    beam = ElectronBeam(**BEAM, total_dose_per_nm2=6000, dose_per_im_per_nm2=7)
    assert tilt_doses(beam, 60).tolist() == [1.0] * 60  # e/Å²
    beam = ElectronBeam(**BEAM, dose_per_im_per_nm2=100)
    assert tilt_doses(beam, 3).tolist() == [1.0] * 3


def test_the_spread_of_doses_is_relative_and_none_is_negative(generator):
    n = 20000
    doses = tilt_doses(ElectronBeam(**BEAM, dose_per_im_per_nm2=500, dose_sd=0.1), n, generator)
    assert doses.mean() == pytest.approx(5.0, abs=3 * 0.5 / math.sqrt(n))
    assert doses.std() == pytest.approx(0.5, rel=3 / math.sqrt(2 * n))
    wide = tilt_doses(ElectronBeam(**BEAM, dose_per_im_per_nm2=500, dose_sd=2.0), n, generator)
    assert wide.min() == 0


def test_the_spread_of_defoci_has_a_common_and_a_single_part():
    common = Optics(**LENS, defocus_nominal_um=2.0, defocus_syst_error_um=0.1)
    n = 4000
    means = torch.empty(n, dtype=torch.float64)
    generator = torch.Generator().manual_seed(3)
    for i in range(n):
        defoci = tilt_defoci(common, 2, generator)
        assert defoci[0] == defoci[1]
        means[i] = defoci[0]
    assert means.mean() == pytest.approx(20000, abs=3 * 1000 / math.sqrt(n))
    assert means.std() == pytest.approx(1000, rel=3 / math.sqrt(2 * n))
    single = Optics(**LENS, defocus_nominal_um=2.0, defocus_nonsyst_error_um=0.1)
    defoci = tilt_defoci(single, n, generator)
    assert defoci.std() == pytest.approx(1000, rel=3 / math.sqrt(2 * n))
    assert tilt_defoci(Optics(**LENS, defocus_nominal_um=-1.5), 2).tolist() == [-15000] * 2


def test_files_are_read_in_their_units_and_read_back_as_written(tmp_path):
    (tmp_path / "dose.txt").write_text("# e/nm^2\n3 1\n100\n250\n0\n")
    (tmp_path / "defocus.txt").write_text("2 1\n2.5\n-1\n")
    beam = ElectronBeam(**BEAM, gen_dose=False, dose_file_in=tmp_path / "dose.txt")
    optics = Optics(**LENS, gen_defocus=False, defocus_file_in=tmp_path / "defocus.txt")
    doses, defoci = tilt_doses(beam, 3), tilt_defoci(optics, 2)
    assert doses.tolist() == [1, 2.5, 0]
    assert defoci.tolist() == [25000, -10000]
    write_doses(tmp_path / "dose.txt", doses)
    write_defoci(tmp_path / "defocus.txt", defoci)
    assert torch.equal(tilt_doses(beam, 3), doses)
    assert torch.equal(tilt_defoci(optics, 2), defoci)


def test_bad_files_are_named(tmp_path):
    (tmp_path / "dose.txt").write_text("3 1\n100\n-1\n5\n")
    beam = ElectronBeam(**BEAM, gen_dose=False, dose_file_in=tmp_path / "dose.txt")
    with pytest.raises(InputError, match=r"dose\.txt: row 2: a dose must be from 0, got -1"):
        tilt_doses(beam, 3)
    with pytest.raises(InputError, match=r"dose\.txt: expected 4 rows at least, got 3"):
        tilt_doses(beam, 4)
