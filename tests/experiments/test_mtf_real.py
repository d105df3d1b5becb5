import yaml

from difftem.workflows.estimate_mtf.mtf_estimate import estimate_mtf
from experiments.mtf_real.run import HERE, compare, table


def test_falcon_agrees_with_its_published_curve_and_the_table_says_so(shared_data):
    config = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
    camera = config["cameras"]["Falcon 3EC, counting"]
    result = estimate_mtf(
        shared_data / "micrographs" / camera["micrograph"], dose=camera["dose"], dqe0=1.0
    )
    found = compare(result, shared_data / "detectors" / camera["curve"], config)
    differences = [abs(a - b) for a, b in zip(found["relative"], found["published"], strict=True)]
    assert max(differences) <= 0.04
    rows = table({"Falcon": found}, config).splitlines()
    shown = [float(cell) for cell in rows[4].split("|")[3:7]]
    assert max(abs(a - b) for a, b in zip(shown, differences[1:], strict=True)) < 6e-4
