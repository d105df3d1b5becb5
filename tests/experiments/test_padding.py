from experiments.padding.run import border_errors

SCENE = {
    "size": (64, 64),
    "pixel_size": 3.0,
    "defocus_um": 2.0,
    "particles": [
        {
            "name": "rough",
            "source": "phantom",
            "count": 20,
            "phantom": {"size_nm": [4, 4, 4], "smoothness": 0, "positive": False},
        }
    ],
}


def test_the_default_is_below_a_hundredth_and_a_narrow_padding_is_not():
    default, narrow = border_errors(SCENE, [None, 4], 96)
    assert default < 0.01
    assert narrow > 0.05
