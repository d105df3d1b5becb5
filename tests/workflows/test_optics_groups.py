from difftem.scene.files.relion_write import RelionOptics, optics_table
from difftem.workflows.generate.optics_groups import OpticsGroups


def test_equal_optics_share_a_group_and_lists_are_filled_where_there_are_none():
    groups = OpticsGroups()
    plain = RelionOptics(300.0, 2.7, 0.07, 1.0)
    tilted = RelionOptics(300.0, 2.7, 0.07, 1.0, beam_tilt_mrad=(1.0, 0.0), odd_zernike=(0.0, 2.5))
    numbers = [groups.number(optics_table(each, ("rlnMicrographPixelSize",)))
               for each in (plain, tilted, plain)]  # fmt: skip
    assert numbers == [1, 2, 1]
    table = groups.table()
    assert table["rlnOpticsGroup"] == ["1", "2"]
    assert table["rlnOpticsGroupName"] == ["opticsGroup1", "opticsGroup2"]
    assert table["rlnBeamTiltX"] == ["0.000000", "1.000000"]
    assert table["rlnOddZernike"] == ["[0]", "[0,2.5]"]
