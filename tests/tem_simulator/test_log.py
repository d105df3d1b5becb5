from dataclasses import replace

from difftem.tem_simulator.files.log import write_log
from difftem.tem_simulator.files.reader import read_input


def test_the_log_is_input_for_the_same_simulation(write_input, tmp_path):
    path = write_input(
        ("voxel_size = 0.5", "voxel_size = 0.12345678901234567"),
        ("gain = 10", "gian = 3\ngain = 10"),
        ("image_file_out = one.mrc", 'image_file_out = "my images.mrc"'),
    )
    first = read_input(path)
    write_log(tmp_path / "run.log", first, ["drew 5 particles\nin ice"])
    again = read_input(tmp_path / "run.log")
    assert again.notes == []
    assert again.components() == first.components()
    # The log has every parameter, also those without effect.
    assert again == replace(first, path=again.path, notes=[], unused=again.unused)
    text = (tmp_path / "run.log").read_text()
    assert text.startswith("# Parameters of input.txt; this file can be used as input again.\n")
    assert "# line 41: detector: unknown parameter gian is ignored, did you mean gain?\n" in text
    assert "# drew 5 particles in ice\n" in text
    assert 'image_file_out = "my images.mrc"\n' in text
    assert "mtf_p = 1\n" in text  # a default
    assert "\n=== detector one ===\n" in text


def test_a_log_in_another_folder_finds_the_same_files(write_input, tmp_path):
    (tmp_path / "c.txt").write_text("1 6\n0 0 0 0 0 0\n")
    first = read_input(write_input(("random\nnum_particles = 5", "file\ncoord_file_in = c.txt")))
    (tmp_path / "logs").mkdir()
    write_log(tmp_path / "logs" / "run.log", first)
    again = read_input(tmp_path / "logs" / "run.log")
    assert again.components() == first.components()


def test_the_log_of_the_tmv_input_is_input(shared_data, tmp_path):
    path = shared_data / "temsim" / "input_TMV" / "input_TMV.txt"
    first = read_input(path, output_folder=tmp_path)
    write_log(first.simulation.log_file, first)
    again = read_input(tmp_path / "simulator.log")
    assert [kind for kind, _ in again.components()] == [kind for kind, _ in first.components()]
    assert again.optics == first.optics
    assert again.simulation.log_file == first.simulation.log_file
    assert again.particles["TMV"].pdb_file_in.samefile(first.particles["TMV"].pdb_file_in)


def test_a_seed_that_was_drawn_is_kept(write_input, tmp_path):
    found = read_input(write_input())
    seeded = replace(found, simulation=replace(found.simulation, rand_seed=7))
    write_log(tmp_path / "run.log", seeded)
    assert read_input(tmp_path / "run.log").simulation.rand_seed == 7


def test_the_same_simulation_is_logged_in_the_same_bytes(write_input, tmp_path):
    found = read_input(write_input())
    write_log(tmp_path / "run.log", found)
    before = (tmp_path / "run.log").read_bytes()
    write_log(tmp_path / "run.log", found)
    assert (tmp_path / "run.log").read_bytes() == before
