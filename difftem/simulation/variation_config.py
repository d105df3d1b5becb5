"""What may change from micrograph to micrograph."""

from dataclasses import dataclass, field

ALWAYS_DRAWN = ("defocus_um", "dose_e_per_a2", "ice_thickness_nm")
Range = tuple[float, float]

# Which key of the configuration each range is for.
KEYS = {
    "defocus_um": "microscope.defocus_um",
    "dose_e_per_a2": "exposure.dose_e_per_a2",
    "ice_thickness_nm": "ice.thickness_nm",
    "astigmatism_um": "microscope.astigmatism_um",
    "astigmatism_angle_deg": "microscope.astigmatism_angle_deg",
    "cs_mm": "microscope.cs_mm",
    "beam_tilt_mrad": "microscope.beam_tilt_mrad",
    "phase_shift_deg": "microscope.phase_shift_deg",
    "energy_spread_ev": "microscope.energy_spread_ev",
    "source_semiangle_mrad": "microscope.source_semiangle_mrad",
    "tilt_axis_deg": "exposure.tilt_axis_deg",
    "shift_error": "stage.shift_error",
    "rotation_error_deg": "stage.rotation_error_deg",
    "tilt_error_deg": "stage.tilt_error_deg",
}


@dataclass(frozen=True)
class VariationConfig:
    """What changes from micrograph to micrograph, drawn evenly between two values.

    Every key is one of the configuration's, whose fixed value it replaces; run.json and
    summary.csv have what was drawn.

    Parameters
    ----------
    defocus_um
        Range [low, high] in µm. Default: microscope.defocus_um in all.
    dose_e_per_a2
        Range [low, high] in e/Å². Default: exposure.dose_e_per_a2 in all.
    ice_thickness_nm
        Range [low, high] in nm. Default: ice.thickness_nm in all.
    astigmatism_um
        Range [low, high] in µm. Default: microscope.astigmatism_um in all.
    astigmatism_angle_deg
        Range [low, high] in degrees. Default: microscope.astigmatism_angle_deg in all.
    cs_mm
        Range [low, high] in mm. Default: microscope.cs_mm in all.
    beam_tilt_mrad
        Range [low, high] in mrad of x and of y. Default: microscope.beam_tilt_mrad in all.
    phase_shift_deg
        Range [low, high] in degrees. Default: microscope.phase_shift_deg in all.
    energy_spread_ev
        Range [low, high] in eV. Default: microscope.energy_spread_ev in all.
    source_semiangle_mrad
        Range [low, high] in mrad. Default: microscope.source_semiangle_mrad in all.
    tilt_axis_deg
        Range [low, high] in degrees. Default: exposure.tilt_axis_deg in all.
    shift_error
        Range [low, high] in Å. Default: stage.shift_error in all.
    rotation_error_deg
        Range [low, high] in degrees. Default: stage.rotation_error_deg in all.
    tilt_error_deg
        Range [low, high] in degrees. Default: stage.tilt_error_deg in all.
    particles
        Range [low, high] of how many there are of a particle, by its name: of its count, per_um3,
        micromolar or fraction, whichever it gives, such as {apoferritin: [20, 80]}. Default: as
        many in all.
    """

    defocus_um: Range | None = None
    dose_e_per_a2: Range | None = None
    ice_thickness_nm: Range | None = None
    astigmatism_um: Range | None = None
    astigmatism_angle_deg: Range | None = None
    cs_mm: Range | None = None
    beam_tilt_mrad: Range | None = None
    phase_shift_deg: Range | None = None
    energy_spread_ev: Range | None = None
    source_semiangle_mrad: Range | None = None
    tilt_axis_deg: Range | None = None
    shift_error: Range | None = None
    rotation_error_deg: Range | None = None
    tilt_error_deg: Range | None = None
    particles: dict[str, Range] = field(default_factory=dict)
