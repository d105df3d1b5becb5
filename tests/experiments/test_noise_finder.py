import torch
import yaml

from experiments.noise_finder.cameras import draw_cameras
from experiments.noise_finder.run import HERE, measure, table


def test_cameras_are_drawn_as_configured_and_one_is_found_and_shown():
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8")) | {"side": 256}
    generator = torch.Generator().manual_seed(0)
    cameras = draw_cameras(config, generator)
    assert [camera.name for camera in cameras].count("white") == config["white"]
    assert len(cameras) == 20
    found = measure(cameras[0], config, generator)
    assert found["white"] and abs(found["level_off"]) < 0.05
    lines = table([found], {}).splitlines()
    shown = [cell.strip() for cell in lines[2].split("|")]
    assert shown[1:4] == ["white", f"{cameras[0].electrons:.3g}", "white"]
    assert float(shown[4]) == round(100 * found["level_off"], 1)
    assert "1 of 1" in lines[-1]
