from dataclasses import replace

import pytest

from difftem.io.errors import InputError
from difftem.tem_simulator.files.reader import read_input


def test_the_tmv_input_of_tem_simulator_is_read(shared_data, tmp_path):
    folder = shared_data / "temsim" / "input_TMV"
    found = read_input(folder / "input_TMV.txt", output_folder=tmp_path)
    assert found.notes == []
    sample, geometry, beam, optics = found.micrograph_parts()
    assert (sample.diameter_nm, sample.thickness_center_nm) == (1000, 50)
    assert (geometry.ntilts, geometry.theta_start_deg, geometry.theta_incr_deg) == (3, -2, 2)
    assert (beam.acc_voltage_kv, beam.dose_per_im_per_nm2) == (200, 100)
    assert (optics.cs_mm, optics.aperture_um, optics.defocus_nominal_um) == (2, 50, 5)
    (detector,) = found.detectors
    assert (detector.padding, detector.mtf_p, detector.use_quantization) == (20, 1, False)
    assert detector.image_file_out == tmp_path / "tiltseries_nonoise.mrc"
    particle = found.particles["TMV"]
    assert particle.pdb_file_in == folder / "2OM3.pdb"
    assert particle.use_defocus_corr
    without = read_input(folder.with_name("input_TMV_nocorr") / "input.txt", output_folder=tmp_path)
    assert not without.particles["TMV"].use_defocus_corr
    assert without.optics == optics


def test_a_missing_map_of_the_shared_input_is_named(shared_data, tmp_path):
    path = shared_data / "temsim" / "predetector_nocorr" / "input.txt"
    with pytest.raises(
        InputError, match=r"input\.txt: line 46: particle: map_file_re_in: no such file .*2OM3_map"
    ):
        read_input(path, output_folder=tmp_path)


def test_values_defaults_and_units_are_in_the_components(write_input):
    found = read_input(write_input())
    assert found.notes == []
    assert found.sample.thickness_edge_nm == 80
    assert found.sample.offset_x_nm == 0
    assert found.particles["virus"].use_imag_pot
    assert found.particlesets[0].where == "volume"
    assert found.geometry.tilt_mode == "tiltseries"
    assert found.electronbeam.dose_sd == 0
    assert found.detectors[0].name == "one"
    assert found.detectors[0].image_axis_order == "xy"
    assert isinstance(found.detectors[0].det_pix_x, int)
    assert [kind for kind, _ in found.components()][:3] == ["simulation", "sample", "particle"]


def test_carriage_returns_quotes_and_trailing_words_are_understood(write_input):
    path = write_input(
        ("\n", "\r\n"),
        ("image_file_out = one.mrc", 'image_file_out="my images.mrc"'),
        ("gain = 10", "gain\t=  1e1\twords"),
    )
    found = read_input(path)
    assert found.detectors[0].image_file_out == path.parent / "my images.mrc"
    assert found.detectors[0].gain == 10
    assert found.notes == ["line 41: 'words' is ignored"]


def test_order_is_free_and_there_may_be_several_detectors(write_input, micrographs):
    head, tail = micrographs.split("=== optics ===")
    optics, detector = tail.split("=== detector one ===")
    second = detector.replace("one.mrc", "two.mrc").replace("dqe = 0.4", "use_quantization = no")
    text = f"=== detector ==={second}=== detector one ==={detector}=== optics ==={optics}{head}"
    found, usual = read_input(write_input(text=text)), read_input(write_input())
    assert [detector.image_file_out.name for detector in found.detectors] == ["two.mrc", "one.mrc"]
    assert found.detectors[0].dqe is None
    assert found.detectors[1] == usual.detectors[0]
    assert found.micrograph_parts() == usual.micrograph_parts()


@pytest.mark.parametrize("text", ["yes", "YES", "true", "1"])
def test_switches_are_yes_or_true_or_1(write_input, text):
    path = write_input(("generate_micrographs = yes", f"generate_micrographs = {text}"))
    assert read_input(path).simulation.generate_micrographs


def test_names_of_the_python_port_are_accepted_with_a_note(write_input):
    path = write_input(
        ("particle_coords = random", "particle_coords = rand"),
        ("nx = 20", "NX = 20"),
        ("defocus_nominal = 2", "defocus_nominal = 2\ndefocus_syst_err = 0.5"),
        ("gain = 10", "gain = 10\nimage_axis_order = xyz"),
    )
    found = read_input(path)
    assert found.particlesets[0].particle_coords == "random"
    assert found.particles["virus"].nx == 20
    assert found.optics.defocus_syst_error_um == 0.5
    assert found.detectors[0].image_axis_order == "xy"
    assert found.notes == [
        "line 10: particle: NX is read as nx",
        "line 19: particleset: particle_coords = rand is read as random",
        "line 37: optics: defocus_syst_err is read as defocus_syst_error",
        "line 43: detector: image_axis_order = xyz is read as xy",
    ]


def test_odd_but_usable_input_leaves_notes(write_input):
    path = write_input(
        ("gain = 10", "gian = 3\ngain = 9\ngain = 10"),
        ("dose_per_im = 100", "dose_per_im = 100\ntotal_dose = 600"),
        ("=== sample ===", "=== sample hole of carbon ==="),
        ("# a comment", "=== simulation ===\n#" + "x" * 220),
        ("\n=== simulation ===\ngen", "\ngen"),
    )
    found = read_input(path)
    assert found.detectors[0].gain == 10
    assert found.electronbeam.total_dose_per_nm2 == 600
    assert sorted(found.notes) == [
        "line 25: electronbeam: total_dose wins over dose_per_im",
        "line 42: detector: unknown parameter gian is ignored, did you mean gain?",
        "line 44: detector: gain is given twice, this one counts",
        "line 4: 'of carbon' is ignored",
    ]


def test_a_long_line_and_an_idle_simulation_leave_notes(write_input):
    found = read_input(write_input(text="=== simulation ===\nlog_file =" + " " * 200 + "run.log\n"))
    assert found.simulation.log_file.name == "run.log"
    assert found.notes == [
        "line 2 has 217 characters, TEM-simulator reads 200",
        "simulation asks for no micrographs, volumes or particle maps",
    ]


def test_old_files_in_latin_1_are_read(tmp_path):
    path = tmp_path / "input.txt"
    path.write_bytes("# µm\n=== simulation ===\nlog_file = ü.log\n".encode("latin-1"))
    assert read_input(path).simulation.log_file.name == "ü.log"


def test_volumes_and_particle_maps_need_no_optics(write_input, micrographs):
    text = micrographs.split("=== particleset")[0].replace("micrographs", "particle_maps")
    volume = "nx = 9\nny = 8\nnz = 7\nvoxel_size = 1\nmap_file_re_out = v.mrc\nmap_axis_order=zyx\n"
    found = read_input(write_input(text=text + "generate_volumes = yes\n=== volume ===\n" + volume))
    assert (found.volumes[0].nx, found.volumes[0].map_axis_order) == (9, "zyx")
    with pytest.raises(InputError, match="no component === geometry ===, needed for micrographs"):
        found.micrograph_parts()


def test_a_seed_is_kept_to_the_last_digit(write_input):
    path = write_input(("generate_micrographs = yes", "generate_micrographs = yes\nrand_seed = 2"))
    assert read_input(path).simulation.rand_seed == 2
    assert (
        replace(read_input(path).simulation, rand_seed=None) == read_input(write_input()).simulation
    )
    last = 2**63 - 1
    text = f"=== simulation ===\nrand_seed = {last}\n"
    assert read_input(write_input(text=text)).simulation.rand_seed == last


def test_with_an_output_folder_nothing_leads_out_of_it(write_input, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("../one.mrc", "../../far/one.mrc", str(tmp_path / "one.mrc")):
        path = write_input(("image_file_out = one.mrc", f"image_file_out = {name}"))
        found = read_input(path, output_folder=tmp_path / "out")
        assert found.detectors[0].image_file_out == tmp_path / "out" / "one.mrc"
        (note,) = [note for note in found.notes if "image_file_out" in note]
        assert f"image_file_out = {name} is written to {tmp_path / 'out' / 'one.mrc'}" in note
    (tmp_path / "out" / "deep").mkdir()
    path = write_input(("image_file_out = one.mrc", "image_file_out = deep/../deep/one.mrc"))
    found = read_input(path, output_folder=tmp_path / "out")
    assert found.detectors[0].image_file_out.resolve() == tmp_path / "out" / "deep" / "one.mrc"
    assert not [note for note in found.notes if "image_file_out" in note]
    # Without a folder of its own, the file says where.
    path = write_input(("image_file_out = one.mrc", f"image_file_out = {tmp_path / 'a.mrc'}"))
    assert read_input(path).detectors[0].image_file_out == tmp_path / "a.mrc"


def test_two_files_that_would_become_one_are_refused(write_input, tmp_path):
    (tmp_path / "out").mkdir()
    path = write_input(
        ("=== simulation ===", "=== simulation ===\nlog_file = ../a/one.mrc"),
        ("image_file_out = one.mrc", "image_file_out = ../b/one.mrc"),
    )
    with pytest.raises(InputError, match=r"one\.mrc is also log_file"):
        read_input(path, output_folder=tmp_path / "out")
