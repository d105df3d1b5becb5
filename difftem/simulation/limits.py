"""What a configuration may say: one set of limits for `simulate` and `generate`."""

import dataclasses
import re
from collections.abc import Iterator

from difftem.constants.amorphous import WATER_MOTION
from difftem.modules.beam import MAX_VOLTAGE_KV
from difftem.simulation.config import DetectorConfig, StageConfig
from difftem.simulation.ice_config import IceConfig
from difftem.simulation.paths import AnyConfig
from difftem.simulation.ranges import (
    USUAL_PATH_NM,
    check_number,
    check_shifts,
    check_transmission,
    number_text,
)
from difftem.simulation.scene_config import SceneConfig
from difftem.simulation.simulate_config import SimulateConfig
from difftem.simulation.truth_check import check_truth
from difftem.simulation.unit_mistakes import unit_mistake, unit_of

MAX_DEFOCUS_UM = 1000.0
MAX_TILT_DEG = 80.0
MAX_SLICES = 100_000
MIN_SIZE = 16  # pixels
PIXEL_SIZES = (0.01, 100.0)  # Å; outside, the unit was mistaken
PIXELS = ("pixel_size", "voxel_size", "coordinates_pixel_size", "volume_voxel_size")
# Largest values by the name of a field, wherever it is; more is a mistake, or would overflow.
POSITIVE = {
    "dose_e_per_a2": 1e7,
    "thickness_nm": 1e5,
    "ice_thickness_nm": 1e5,
    "edge_thickness_nm": 1e5,
    "slice_thickness_nm": 1e5,
    "mean_free_path_nm": 1e6,
    "density_g_per_cm3": 3.0,
    "hole_diameter_nm": 1e6,
    "aperture_mrad": 1e3,
    "gain": 1e9,
    "tomogram_size": 1e6,
    "mtf_nyquist": 100.0,
    "occupancy": 1.0,
    "memory_limit_gb": 1e9,
}
NOT_NEGATIVE = {
    "b_factor": 1e5,
    "default_b_factor": 1e5,
    "cc_mm": 1e3,
    "energy_spread_ev": 1e4,
    "source_semiangle_mrad": 1e2,
    "read_noise": 1e9,
    "gap_nm": 1e5,
    "motion": 1e3,
    "padding": 1e5,
    "shift_error": 1e5,
    "rotation_error_deg": 180.0,
    "tilt_error_deg": 90.0,
    "model": 1e6,
    "spread_deg": 180.0,
    "share": 1.0,
    "flipped": 1.0,
}
# Largest absolute values; a lens with the objective off has a Cs of metres.
SIGNED = {
    "cs_mm": 1e4,
    "astigmatism_um": MAX_DEFOCUS_UM,
    "axis": 1e6,  # of a direction, whose length does not count
}


def check_common(config: SimulateConfig | SceneConfig) -> None:
    """Refuse impossible values of the fields that all configurations share.

    Parameters
    ----------
    config : SimulateConfig or SceneConfig
        To check.

    Raises
    ------
    ValueError
        In one line that names the key.
    """
    for key, value in flattened(dataclasses.asdict(config)):
        name = re.split(r"[.\[]", re.sub(r"\[\d+\]$", "", key))[-1]
        if isinstance(value, int | float):
            check_number(key, "aberrations" if ".aberrations." in key else name, value)
        if isinstance(value, int | float) and name in PIXELS:
            _check_pixel_size(key, name, value)
        if isinstance(value, int | float) and name in POSITIVE | NOT_NEGATIVE | SIGNED:
            _check_range(key, name, value)
    if not -(2**63) <= config.seed < 2**63:
        raise ValueError(f"seed must fit into 64 bits, got {number_text(config.seed)}")
    _check_sampling(config)
    _check_ice(config.ice)
    sampling = config.sampling
    check_truth(config.truth, config.exposure.tilts_deg, sampling.size, sampling.pixel_size)
    exposure = config.exposure
    if not exposure.tilts_deg:
        raise ValueError("exposure.tilts_deg must not be empty")
    steep = [tilt for tilt in exposure.tilts_deg if abs(tilt) > MAX_TILT_DEG]
    if steep:
        raise ValueError(
            f"exposure.tilts_deg must lie between -{MAX_TILT_DEG:g} and {MAX_TILT_DEG:g} degrees, "
            f"got {steep[0]:g}"
        )
    if exposure.exposures < 1:
        raise ValueError(f"exposure.exposures must be at least 1, got {exposure.exposures}")
    check_defocus("microscope.defocus_um", config.microscope.defocus_um)
    if exposure.focus_series_um is not None:
        if not exposure.focus_series_um:
            raise ValueError("exposure.focus_series_um must not be empty")
        for value in exposure.focus_series_um:
            check_defocus("exposure.focus_series_um", value)
    _check_voltage(config.microscope.voltage_kv)
    contrast = config.microscope.amplitude_contrast
    if contrast is not None and not 0 <= contrast < 1:
        raise ValueError(f"microscope.amplitude_contrast must be in [0, 1), got {contrast}")
    dqe = config.detector.dqe
    if dqe is not None and not 0 < dqe <= 1:
        raise ValueError(f"detector.dqe must be in (0, 1], got {dqe}")
    files = {config.detector.mtf, config.detector.ntf} - {None, "ideal", "mtf"}
    if config.detector.mtf_nyquist != DetectorConfig().mtf_nyquist and not files:
        raise ValueError("detector.mtf_nyquist applies with a file of detector.mtf or detector.ntf")
    _check_stage(config.stage, len(exposure.tilts_deg), config.ice)
    side = max(config.sampling.size) * config.sampling.pixel_size
    check_shifts(config.stage.shifts, config.stage.shift_error, side)


def _check_range(key: str, name: str, value: float) -> None:
    """Refuse a value below or above what a field may have."""
    if name in POSITIVE and not value > 0:
        raise ValueError(f"{key} must be positive, got {number_text(value)}")
    if name in NOT_NEGATIVE and value < 0:
        raise ValueError(f"{key} must not be negative, got {number_text(value)}")
    most, unit = (POSITIVE | NOT_NEGATIVE | SIGNED)[name], unit_of(name)
    if abs(value) > most:
        allowed = f"within {most:g}" if name in SIGNED else f"at most {most:g}"
        raise ValueError(
            f"{key} must be {allowed}{unit}, got {number_text(value)}{unit_mistake(name, value)}; "
            "see difftem docs units"
        )


def _check_pixel_size(key: str, name: str, value: float) -> None:
    """Refuse a pixel that no microscope has."""
    if not PIXEL_SIZES[0] <= value <= PIXEL_SIZES[1]:
        raise ValueError(
            f"{key} must be within {PIXEL_SIZES[0]:g} and {PIXEL_SIZES[1]:g} Å, got {value:g}"
            f"{unit_mistake(name, value)}; see difftem docs units"
        )


def check_defocus(key: str, value: float) -> None:
    """Refuse a defocus that was given in another unit."""
    if not abs(value) <= MAX_DEFOCUS_UM:
        raise ValueError(
            f"{key} must be within {MAX_DEFOCUS_UM:g} µm, got {value:g}; 1.5 means 1.5 µm"
            f"{unit_mistake('defocus_um', value)}; see difftem docs units"
        )


def _check_voltage(value: float) -> None:
    """Refuse what the beam would refuse, by its key."""
    if not 0 < value <= MAX_VOLTAGE_KV:
        raise ValueError(
            f"microscope.voltage_kv must be in (0, {MAX_VOLTAGE_KV:g}] kV, got {value:g}; "
            f"300 means 300 kV{unit_mistake('voltage_kv', value)}; see difftem docs units"
        )


def flattened(values: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """List what nested mappings and lists hold under dotted keys: ``particles[0].count``."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from flattened(value, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(values, list | tuple):
        for i, value in enumerate(values):
            yield from flattened(value, f"{prefix}[{i}]")
    else:
        yield prefix, values


def changed(config: AnyConfig) -> set[str]:
    """Names of the fields of a dataclass that are not at their defaults."""
    default = type(config)()
    names = [each.name for each in dataclasses.fields(config)]
    return {name for name in names if getattr(config, name) != getattr(default, name)}


def _check_sampling(config: SimulateConfig | SceneConfig) -> None:
    """Check pixels and slices."""
    sampling = config.sampling
    nx, ny = sampling.size
    if min(nx, ny) < MIN_SIZE:
        raise ValueError(
            f"sampling.size must be at least {MIN_SIZE} x {MIN_SIZE} pixels, got {nx} x {ny}"
        )
    thickness = sampling.slice_thickness_nm
    if thickness is not None:
        ice = config.ice.thickness_nm
        if ice is not None and ice / thickness > MAX_SLICES:
            raise ValueError(
                f"sampling.slice_thickness_nm of {thickness:g} cuts {ice:g} nm of ice into more "
                f"than {MAX_SLICES} slices; see difftem docs sampling"
            )


def _check_ice(ice: IceConfig) -> None:
    """Refuse what does not apply, and ice that is black."""
    for name in ("thickness_nm", "edge_thickness_nm"):
        path = ice.mean_free_path_nm or USUAL_PATH_NM
        check_transmission(f"ice.{name}", getattr(ice, name), path)
    if ice.hole_diameter_nm is None and ice.edge_thickness_nm is not None:
        raise ValueError("ice.edge_thickness_nm applies with ice.hole_diameter_nm only")
    if ice.hole_diameter_nm is not None and ice.cut_at_edges is False:
        raise ValueError("ice.cut_at_edges does not apply with ice.hole_diameter_nm")
    if ice.structure and not ice.present:
        raise ValueError("ice.structure does not apply without ice (ice.present: false)")
    if ice.motion != WATER_MOTION and not ice.structure:
        raise ValueError("ice.motion applies with ice.structure only")
    if not ice.present and ice.hole_diameter_nm is not None:
        raise ValueError("ice.hole_diameter_nm does not apply without ice (ice.present: false)")


def _check_stage(stage: StageConfig, n_tilts: int, ice: IceConfig) -> None:
    """Refuse errors of a stage that do not fit the tilts or the ice."""
    given = changed(stage)
    if given and n_tilts == 1:
        raise ValueError(
            f"stage.{min(given)} applies to tilt series only: exposure.tilts_deg has one tilt"
        )
    shifting = given & {"shifts", "shift_error"}
    if shifting and ice.hole_diameter_nm is not None:
        raise ValueError(
            f"stage.{min(shifting)} does not apply with ice.hole_diameter_nm: the hole would stay "
            "where it is"
        )
    for name in ("shifts", "rotations_deg"):
        values = getattr(stage, name)
        if values is not None and len(values) != n_tilts:
            raise ValueError(
                f"stage.{name} must have {n_tilts} values, one for each tilt, got {len(values)}"
            )
