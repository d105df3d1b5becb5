"""Components of an input file that say how it is imaged: geometry, beam, optics, detectors."""

# ruff: noqa: RUF009  # the calls make fields, as `dataclasses.field` does

from dataclasses import dataclass
from pathlib import Path

from difftem.tem_simulator.files.parameter import (
    choice,
    input_file,
    number,
    output_file,
    switch,
    whole,
)
from difftem.tem_simulator.files.specimen import BYTE_ORDERS, MAP_FORMATS, Component


@dataclass(frozen=True, kw_only=True)
class Geometry(Component):
    """How the sample is turned in each image.

    Attributes
    ----------
    gen_tilt_data : bool
        Turn about one axis by equal steps; no: by the angles of a file.
    ntilts : int or None
        How many images. None: as many as the file has rows.
    tilt_axis_deg : float
        Angle of the tilt axis from x, counter-clockwise, degrees.
    theta_start_deg, theta_incr_deg : float or None
        First tilt and step between tilts, degrees.
    geom_file_in, geom_file_out : Path or None
        Text matrix, 3 columns: rotations about z, x, z in the order in which they act, degrees.
    tilt_mode : str
        ``tiltseries``: the sample turns; ``single_particle``: every particle turns in its place.
    geom_errors : str
        ``none``, ``random`` or ``file``.
    tilt_err_deg, align_err_rot_deg : float
        Standard deviations of tilt and in-plane rotation, degrees.
    align_err_tr_nm : float
        Root-mean-square length of the shift in the image plane, nm.
    error_file_in, error_file_out : Path or None
        Text matrix, 5 columns: in-plane rotation, direction of the axis of the tilt error, tilt
        error (degrees), shift x y (nm).
    """

    gen_tilt_data: bool = switch("gen_tilt_data", True)
    ntilts: int | None = whole("ntilts", "", None, least=1)
    tilt_axis_deg: float = number("tilt_axis", "degrees", 0.0)
    theta_start_deg: float | None = number("theta_start", "degrees", None)
    theta_incr_deg: float | None = number("theta_incr", "degrees", None)
    geom_file_in: Path | None = input_file("geom_file_in")
    geom_file_out: Path | None = output_file("geom_file_out")
    tilt_mode: str = choice("tilt_mode", ("tiltseries", "single_particle"), "tiltseries")
    geom_errors: str = choice("geom_errors", ("none", "random", "file"), "none", rand="random")
    tilt_err_deg: float = number("tilt_err", "degrees", 0.0, least=0)
    align_err_rot_deg: float = number("align_err_rot", "degrees", 0.0, least=0)
    align_err_tr_nm: float = number("align_err_tr", "nm", 0.0, least=0)
    error_file_in: Path | None = input_file("error_file_in")
    error_file_out: Path | None = output_file("error_file_out")


@dataclass(frozen=True, kw_only=True)
class ElectronBeam(Component):
    """Electrons that hit the sample.

    Attributes
    ----------
    acc_voltage_kv : float
        kV.
    energy_spread_ev : float
        eV.
    gen_dose : bool
        Doses from the numbers below; no: from a file.
    total_dose_per_nm2 : float or None
        Electrons/nm² in all images together; it wins over `dose_per_im_per_nm2`.
    dose_per_im_per_nm2 : float or None
        Electrons/nm² in each image.
    dose_sd : float
        Standard deviation of the dose of an image, as a fraction of it.
    dose_file_in, dose_file_out : Path or None
        Text matrix, 1 column: electrons/nm².
    """

    acc_voltage_kv: float = number("acc_voltage", "kV", above=0)
    energy_spread_ev: float = number("energy_spread", "eV", least=0)
    gen_dose: bool = switch("gen_dose", True)
    total_dose_per_nm2: float | None = number("total_dose", "electrons/nm²", None, least=0)
    dose_per_im_per_nm2: float | None = number("dose_per_im", "electrons/nm²", None, least=0)
    dose_sd: float = number("dose_sd", "", 0.0, least=0)
    dose_file_in: Path | None = input_file("dose_file_in")
    dose_file_out: Path | None = output_file("dose_file_out")


@dataclass(frozen=True, kw_only=True)
class Optics(Component):
    """Objective lens, apertures and defocus.

    Attributes
    ----------
    magnification : float
        Detector pixel over pixel at the sample.
    cs_mm, cc_mm : float
        Spherical and chromatic aberration, mm.
    aperture_um : float
        Diameter of the aperture in the focal plane, µm.
    focal_length_mm : float
        mm.
    cond_ap_angle_mrad : float
        Illumination angle, mrad.
    gen_defocus : bool
        Defoci from the numbers below; no: from a file.
    defocus_nominal_um : float or None
        µm, underfocus positive.
    defocus_syst_error_um, defocus_nonsyst_error_um : float
        Standard deviations of the error common to all images and of that of each image, µm.
    defocus_file_in, defocus_file_out : Path or None
        Text matrix, 1 column: µm.
    """

    magnification: float = number("magnification", above=0)
    cs_mm: float = number("cs", "mm")
    cc_mm: float = number("cc", "mm")
    aperture_um: float = number("aperture", "µm", above=0)
    focal_length_mm: float = number("focal_length", "mm", above=0)
    cond_ap_angle_mrad: float = number("cond_ap_angle", "mrad", least=0)
    gen_defocus: bool = switch("gen_defocus", True)
    defocus_nominal_um: float | None = number("defocus_nominal", "µm", None)
    defocus_syst_error_um: float = number(
        "defocus_syst_error", "µm", 0.0, least=0, aliases=("defocus_syst_err",)
    )
    defocus_nonsyst_error_um: float = number(
        "defocus_nonsyst_error", "µm", 0.0, least=0, aliases=("defocus_nonsyst_err",)
    )
    defocus_file_in: Path | None = input_file("defocus_file_in")
    defocus_file_out: Path | None = output_file("defocus_file_out")


@dataclass(frozen=True, kw_only=True)
class DetectorInput(Component):
    """Camera and the images it writes.

    Attributes
    ----------
    det_pix_x, det_pix_y : int
        Size in pixels.
    padding : int
        Pixels simulated around it on each side.
    pixel_size_um : float
        Of the detector itself, µm.
    gain : float
        Grey values per electron.
    use_quantization : bool
        Count electrons (Poisson noise); no: the expected image.
    dqe : float or None
        Detective quantum efficiency at zero frequency, 0.01 to 1.
    mtf_a, mtf_b, mtf_c, mtf_alpha, mtf_beta, mtf_p, mtf_q : float
        Modulation transfer, [a F(α, p) + b F(β, q) + c] / (a + b + c).
    image_file_out : Path
        Images of all tilts.
    image_file_format, image_file_byte_order, image_axis_order : str
        ``mrc``, ``mrc-int`` or ``raw``; ``native``, ``be`` or ``le``; the fastest axis first.
    """

    det_pix_x: int = whole("det_pix_x", "pixels", least=1, most=10000)
    det_pix_y: int = whole("det_pix_y", "pixels", least=1, most=10000)
    padding: int = whole("padding", "pixels", 20, least=0)
    pixel_size_um: float = number("pixel_size", "µm", above=0)
    gain: float = number("gain", above=0)
    use_quantization: bool = switch("use_quantization", True)
    dqe: float | None = number("dqe", "", None, least=0.01, most=1)
    mtf_a: float = number("mtf_a", least=0, most=1)
    mtf_b: float = number("mtf_b", least=0, most=1)
    mtf_c: float = number("mtf_c", least=0, most=1)
    mtf_alpha: float = number("mtf_alpha", least=0)
    mtf_beta: float = number("mtf_beta", least=0)
    mtf_p: float = number("mtf_p", "", 1.0, least=0, most=10)
    mtf_q: float = number("mtf_q", "", 1.0, least=0, most=10)
    image_file_out: Path = output_file("image_file_out", required=True)
    image_file_format: str = choice("image_file_format", MAP_FORMATS, "mrc")
    image_file_byte_order: str = choice("image_file_byte_order", BYTE_ORDERS, "native")
    image_axis_order: str = choice("image_axis_order", ("xy", "yx"), "xy", xyz="xy")
