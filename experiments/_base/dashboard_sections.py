"""What the project's workspace in W&B shows: a section for each kind of runs, and their keys.

``tests/experiments/test_dashboard.py`` holds the keys against those that runs log.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DashboardSection:
    """Runs of one kind, and what of them is shown.

    Attributes
    ----------
    title : str
        Of the section.
    tag : str
        That its runs have: an experiment, or a task of `difftem fit`.
    what : str
        A sentence for the report.
    numbers : tuple of str
        Bars of a run's summary: of a method, of a fit.
    lines : tuple of str
        Curves over steps.
    pictures : tuple of str
        Images.
    table : str
        Key of a table of all rows.
    """

    title: str
    tag: str
    what: str
    numbers: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    table: str = "comparison"


SECTIONS = (
    DashboardSection(
        "MTF fits",
        "MTFFit",
        "MTFs of detectors that difftem fit has fitted: search, errors where the truth is known, "
        "curves.",
        numbers=("fit/max_error", "fit/p_value", "fit/seconds"),
        lines=("trace/loss", "train/loss"),
        pictures=("fit/mtf",),
        table="fit/mtf_curve",
    ),
    DashboardSection(
        "MTF losses",
        "mtf_recovery",
        "Nine losses on three detectors, five seeds each: mean errors of the published fits.",
        numbers=("max_error", "mean_error", "coverage"),
        pictures=("errors",),
    ),
    DashboardSection(
        "Training of denoisers",
        "Denoise",
        "Networks while they are trained: below zero, the logarithm of the error beside Wiener's "
        "filter is a gain.",
        numbers=("val/ratio", "val/ratio_worst", "fit/seconds"),
        lines=("train/loss", "train/loss_above_wiener", "val/loss", "val/ratio"),
        pictures=("fit/panels", "fit/curve"),
        table="fit/validation",
    ),
    DashboardSection(
        "Denoisers: the paper's scene over dose",
        "denoise_dose",
        "All methods on the same arrays, means over doses and seeds.",
        numbers=(
            "psnr_truth_range_db",
            "correlation",
            "nmse",
            "frc_0.5_cycles_per_pixel",
            "ssim_truth_range",
            "paper_mm_ssim",
            "cpu_seconds",
        ),
        pictures=("comparison_dose", "curves"),
    ),
    DashboardSection(
        "Denoisers: what training never saw",
        "denoise_generalise",
        "The same methods beyond what networks were trained on.",
        numbers=("nmse", "correlation", "frc_half", "cpu_seconds"),
        pictures=("comparison_generalise",),
    ),
    DashboardSection(
        "Denoisers: real micrographs",
        "denoise_real",
        "Nats per 1000 pixels of held-out electrons above Wiener's filter, on micrographs of a "
        "Falcon 3EC and a K2.",
        numbers=("mean", "paper_mm_psnr_db", "cpu_seconds"),
        pictures=("comparison_falcon", "comparison_k2"),
    ),
    DashboardSection(
        "Denoisers: images that show nothing",
        "false_positives",
        "Specks that methods make of blank images.",
        numbers=(
            "specks_per_mpx",
            "largest_percent_of_mean",
            "rms_percent_of_mean",
            "cpu_seconds",
        ),
        pictures=("comparison_blank",),
    ),
    DashboardSection(
        "SBD: fields of view",
        "sbd_field_of_view",
        "Networks of several fields of view and classical filters on Pt/CeO2 frames.",
        numbers=("sbd", "range", "ssim", "surface", "seconds"),
    ),
    DashboardSection(
        "SBD: is the atom real?",
        "sbd_analysis",
        "Tests of atomic columns: area under the curve, and columns that are not there and pass.",
        numbers=("auc", "absent_positive"),
        pictures=("sbd_likelihood", "sbd_gradient"),
    ),
    DashboardSection(
        "Speed: simulator",
        "simulator_speed",
        "Median seconds of the stages, beside abTEM's, on two cores.",
        numbers=("platinum_multislice_seconds", "protein_multislice_seconds"),
    ),
    DashboardSection(
        "Speed: kernels",
        "kernel_speed",
        "Median seconds of the ops by implementation.",
        numbers=("multislice_512_forward_seconds", "multislice_512_both_seconds"),
    ),
    DashboardSection(
        "Speed: denoising",
        "denoise_speed",
        "Time and memory of one micrograph of 4096 x 4096 pixels.",
        numbers=("seconds", "cpu_seconds", "peak_gb"),
    ),
)
