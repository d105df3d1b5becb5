import pytest
import torch

from difftem.analysis.column_evidence import check_inside, column_evidence, far_groups
from difftem.analysis.column_ratio import column_ratios, neighbour_template, vacuum_ratios
from difftem.analysis.disc_surface import DiscSurface
from difftem.analysis.likelihood_ratio import area_under_curve, best_test
from tests.helpers.synthetic_columns import blur, columns_image

SITES = torch.tensor([[22.0, 22.0], [73.0, 22.0], [22.0, 73.0], [73.0, 73.0]])
OTHERS = [(48, 48), (48, 10), (48, 86), (10, 48), (86, 48)]
SIZE, SURFACE, DENOISE = 96, DiscSurface(12.0), blur(4.0, 96)


@pytest.fixture(scope="module")
def absent():
    return columns_image(OTHERS, SIZE)


@pytest.fixture(scope="module")
def present():
    return columns_image([*OTHERS, *SITES.tolist()], SIZE)


@pytest.fixture(scope="module")
def ratios(absent, present):
    """Ratios of 60 frames of each kind, ours and the one against vacuum."""
    generator = torch.Generator().manual_seed(1)
    found = {}
    for name, image in (("absent", absent), ("present", present)):
        ours, theirs = [], []
        for _ in range(60):
            counts = torch.poisson(image, generator=generator)
            expected = DENOISE(counts)
            ratio, centers = column_ratios(counts, expected, SITES, SURFACE)
            ours.append(ratio)
            theirs.append(vacuum_ratios(counts, expected, centers, SURFACE, 0.45))
        found[name] = (torch.cat(ours), torch.cat(theirs))
    return found


def test_the_ratio_has_power_below_the_ceiling_and_is_biased_on_its_own_frame(
    absent, present, ratios
):
    auc = area_under_curve(ratios["present"][0], ratios["absent"][0])
    best = best_test(present[10:34, 10:34], absent[10:34, 10:34])
    assert 0.65 < auc < best.auc < 0.95
    assert float((ratios["absent"][0] > 0).double().mean()) > 0.9


def test_the_ratio_against_vacuum_has_no_power_on_a_core_with_a_ring(ratios):
    ours, theirs = (area_under_curve(ratios["present"][i], ratios["absent"][i]) for i in (0, 1))
    assert abs(theirs - 0.5) < 0.12
    assert ours > theirs + 0.1


def test_null_frames_let_through_one_in_twenty(absent, generator):
    hits, frames = 0, 40
    for _ in range(frames):
        counts = torch.poisson(absent, generator=generator)
        found = column_evidence(
            DENOISE,
            counts,
            SITES,
            SURFACE,
            vacuum=0.45,
            frames=19,
            search=0,
            generator=generator,
        )
        assert torch.equal(found.supported, found.p_value <= 0.05)
        hits += int(found.supported.sum())
    # 160 tests: 5 % with a standard deviation of 1.7 %.
    assert 0.005 < hits / (4 * frames) < 0.095


def test_a_strong_column_is_supported_and_one_alone_is_not(generator):
    strong = columns_image([(22, 22)], SIZE, height=1.6)
    counts = torch.poisson(strong, generator=generator)
    found = column_evidence(
        DENOISE, counts, SITES, SURFACE, vacuum=0.45, frames=39, generator=generator
    )
    assert found.supported.tolist() == [True, False, False, False]
    assert found.excess[0] > 4
    assert found.p_value[0] == 1 / 40
    assert found.ceiling[0] > 0.95
    assert found.null_ratios.shape == (4, 39)
    assert torch.allclose(found.centers[0].double(), SITES[0].double(), atol=3)


def test_a_column_that_looks_as_its_neighbours_has_more_power_and_less_bias(absent, present):
    generator, found = torch.Generator().manual_seed(1), {}
    for name, image in (("absent", absent), ("present", present)):
        ours = []
        for _ in range(60):
            counts = torch.poisson(image, generator=generator)
            expected = DENOISE(counts)
            columns = torch.tensor(OTHERS[:1] * 2, dtype=torch.float64)
            template = neighbour_template(expected, SITES, columns, SURFACE)
            ours.append(column_ratios(counts, expected, SITES, SURFACE, template=template)[0])
        found[name] = torch.cat(ours)
    assert area_under_curve(found["present"], found["absent"]) > 0.8
    assert float((found["absent"] > 0).double().mean()) < 0.6


def test_a_template_is_the_mean_of_other_columns_and_zero_without_any(present):
    columns = torch.tensor([*OTHERS, *SITES.tolist()], dtype=torch.float64)
    template = neighbour_template(present, SITES, columns, SURFACE)
    inside, through = SURFACE.values(present, torch.tensor([[48, 48]]))
    # Of five columns that look the same and are far from each other.
    assert torch.allclose(template[0], (inside - through)[0], atol=0.02)
    assert float(neighbour_template(present, SITES, SITES[:1], SURFACE)[0].abs().max()) == 0
    assert float(neighbour_template(present, SITES, columns[:0], SURFACE).abs().max()) == 0


def test_null_frames_let_through_one_in_twenty_of_columns_like_their_neighbours(absent, generator):
    hits, frames = 0, 40
    columns = torch.tensor([(48, 48)], dtype=torch.float64)
    for _ in range(frames):
        counts = torch.poisson(absent, generator=generator)
        hits += int(
            column_evidence(
                DENOISE,
                counts,
                SITES,
                SURFACE,
                vacuum=0.45,
                columns=columns,
                frames=19,
                search=2,
                generator=generator,
            ).supported.sum()
        )
    assert 0.005 < hits / (4 * frames) < 0.095


def test_places_that_are_near_never_share_a_group():
    centers = torch.tensor([[0, 0], [5, 0], [30, 0], [33, 0], [60, 0]])
    groups = far_groups(centers, 20.0)
    assert sorted(torch.cat(groups).tolist()) == [0, 1, 2, 3, 4]
    for group in groups:
        apart = torch.cdist(centers[group].double(), centers[group].double())
        assert float((apart + 1e3 * torch.eye(len(group))).min()) >= 20


def test_bad_input_is_named():
    counts = torch.zeros(96, 96)
    with pytest.raises(ValueError, match=r"frames must be at least 19 for a level of 0.05, got 18"):
        column_evidence(DENOISE, counts, SITES, SURFACE, vacuum=0.45, frames=18)
    with pytest.raises(ValueError, match=r"column at x 3.0, y 50.0 px must be at least 15 px"):
        check_inside(torch.tensor([[3.0, 50.0]]), counts, 15)
