import math

import pytest
import torch
import yaml

from difftem.baselines.gaussian import gaussian
from difftem.functional.image_error import correlation
from experiments.paper_denoiser.plug_and_play import likelihood_steps, split_steps
from experiments.paper_denoiser.run import HERE, report
from experiments.paper_denoiser.score import AVERAGE, EXACT, images_of, names_at, paper_case, scores
from experiments.paper_denoiser.tables import draw

CONFIG = yaml.safe_load((HERE / "config.yaml").read_text("utf-8"))
OPTIMISERS = list(CONFIG["optimisers"])


def scene(size=48):
    """A disc of 5 % less light."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    image = 1 - 0.05 * ((x - 0.1) ** 2 + y**2 < 0.25).float()
    return image / image.mean()


@pytest.fixture(scope="module")
def found():
    """Scores at two exposures, of all methods, and the case."""
    case = paper_case(scene(), 100, 2, 0)
    names = [AVERAGE, EXACT, *OPTIMISERS]
    return case, *images_of(case, CONFIG | {"steps": 60, "samples": 20}, names, 0)


def test_the_papers_denoiser_is_the_average_of_its_inputs(found):
    case, images, _ = found
    ends = {name: scores(image, case) for name, image in images.items()}
    of_average = ends[AVERAGE]["correlation"]
    assert 0.1 < of_average < 0.4
    assert ends[EXACT]["correlation"] == pytest.approx(of_average, abs=0.002)
    assert ends[EXACT]["with_average"] > 0.9999
    assert float((images[AVERAGE] - images[EXACT]).std()) < 0.01
    for name in OPTIMISERS:
        assert ends[name]["correlation"] == pytest.approx(of_average, abs=0.02), name
        assert ends[name]["with_average"] > 0.95, name
    # It is far from what a filter takes off the same exposures.
    estimate = gaussian(case.whitened, case.electrons)
    assert float(correlation(estimate, case.truth)) > 2 * of_average


def test_contrast_drifts_with_normalisation_alone(found):
    case, images, curves = found
    contrast = {name: scores(images[name], case)["contrast"] for name in OPTIMISERS}
    bright = scores(images[OPTIMISERS[0]], case)["brightness"]
    assert contrast[OPTIMISERS[0]] == pytest.approx(math.sqrt(2 * bright), rel=0.1)
    for name in OPTIMISERS[1:]:
        assert contrast[name] == pytest.approx(1, abs=0.06)
    assert [point["step"] for point in curves[OPTIMISERS[0]]] == [*range(5, 61, 5)]
    assert curves[OPTIMISERS[0]][-1]["contrast"] == pytest.approx(contrast[OPTIMISERS[0]])


def test_the_report_has_a_line_for_each_method_and_the_picture_is_drawn(found, tmp_path):
    case, images, curves = found
    config = CONFIG | {"settings": [[100, 2]], "priors": [], "panel": {"seed": 0}}
    rows = [
        {
            "setting": [100, 2],
            "seed": seed,
            "method": name,
            "curve": curves.get(name, []),
            **scores(image, case),
        }
        for seed in (0, 1)
        for name, image in images.items()
    ]
    text = report(rows, config)
    assert "its average: not reproduced within 0.01" in text  # this is another scene
    assert all(text.count(f"| {name} ") == 1 for name in images)
    assert "± 0.000" in text
    draw(images | {"truth": case.truth}, rows, config, tmp_path / "a.png", list(images))
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert names_at(CONFIG, [100, 2])[:5] == [AVERAGE, EXACT, *OPTIMISERS]
    assert names_at(CONFIG, [100, 50]) == [AVERAGE, EXACT, OPTIMISERS[0]]


@pytest.mark.parametrize("run", [likelihood_steps, split_steps])
def test_plug_and_play_of_no_network_is_the_image_itself(run):
    x = torch.randn(16, 16, generator=torch.Generator().manual_seed(0))
    found = run(x, 400.0, lambda values: values, 20)
    torch.testing.assert_close(found, x, atol=0.02, rtol=0)
