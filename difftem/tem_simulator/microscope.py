"""The stages of TEM-simulator's microscope, made of our modules."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from difftem.functional.inelastic import coarse_angular_step
from difftem.functional.projection import Interpolation
from difftem.modules import (
    Beam,
    Detector,
    Dose,
    HoleyIce,
    InelasticMultislice,
    Instances,
    Lens,
    Particle,
    ParticleSpecimen,
    Simulator,
    Stage,
)
from difftem.modules.particles_in_view import Depth
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.microscope import ElectronBeam, Optics
from difftem.tem_simulator.files.specimen import Sample
from difftem.tem_simulator.files.tilts import TiltGeometry
from difftem.tem_simulator.particles import MapTemplate
from difftem.tem_simulator.wave_grid import WaveGrid
from difftem.units import angstrom_to_um, rad_to_mrad

# Relative error of a projection 1e-4; what a pixel averages is kept to 2.5 times its Nyquist.
INTERPOLATION = Interpolation(1.5, 6)
MAX_CYCLES = 1.25  # cycles/pixel
THINNEST_NM = 1e-3  # a film of no thickness


def build_beam(beam: ElectronBeam) -> Beam:
    """Beam of the component, in double precision."""
    return Beam(torch.tensor(beam.acc_voltage_kv, dtype=torch.float64))


def aperture_mrad(optics: Optics) -> float:
    """Semi-angle of the objective aperture."""
    return optics.aperture_um / 2 / optics.focal_length_mm


def build_specimen(
    templates: Mapping[str, MapTemplate],
    corrected: Mapping[str, bool],
    instances: list[tuple[str, Tensor, Tensor]],
    field: WaveGrid,
) -> ParticleSpecimen:
    """Particles in the field, each as a whole in the slice nearest to its centre.

    They are projected as TEM-simulator does: voxels are cubes, pixels are averages. `corrected`
    says by name whether the heights inside a particle count (``use_defocus_corr``); `instances` are
    name, positions in Å ``(n, 3)`` and rotations ``(n, 3, 3)`` of each particle set.
    """
    particles = {
        name: Particle(
            template.values,
            template.voxel_size,
            # The middle of the map, between voxels where their number is even.
            center=_middle(template),
            interpolation=INTERPOLATION,
            radius=math.hypot(*template.sides) / 2,
        )
        for name, template in templates.items()
    }
    depth: dict[str, Depth] = {
        name: "particle" if corrected[name] else "ignored" for name in particles
    }
    return ParticleSpecimen(
        particles,
        [Instances(*each) for each in instances],
        field.shape,
        field.pixel_size,
        field.slice_thickness,
        depth=depth,
        max_frequency=MAX_CYCLES / field.pixel_size,
        pixel_average=True,
        voxel_average=True,
        cut=False,
    )


def build_simulator(
    simulation: TemSimulatorInput,
    specimen: ParticleSpecimen,
    field: WaveGrid,
    tilts: TiltGeometry,
    doses: Tensor,  # (n_tilts,) e/Å²
    defoci: Tensor,  # (n_tilts,) Å
) -> Simulator:
    """Compose the microscope up to the intensity in the image plane; `Camera` comes after it."""
    sample, geometry, electrons, optics = simulation.micrograph_parts()
    beam = build_beam(electrons)
    pixel, angle = field.pixel_size, aperture_mrad(optics)
    step = rad_to_mrad(coarse_angular_step(pixel, float(defoci.abs().max())))
    return Simulator(
        specimen,
        InelasticMultislice(pixel, angle, angular_step_mrad=step, band_limit=None),
        _lens(optics, electrons, pixel, float(beam.wavelength)),
        Dose(doses, pixel),
        Detector(),
        beam,
        Stage(
            torch.zeros(len(doses)),
            shift=tilts.shifts + _centre_of_field(field),
            base=tilts.rotations,
            turn_positions=geometry.tilt_mode == "tiltseries",
        ),
        _film(sample, pixel, angle, step),
        defocus_offset_um=angstrom_to_um(defoci),
    )


def _middle(template: MapTemplate) -> tuple[float, float, float]:
    """Middle of a map in Å from voxel n // 2."""
    nz, ny, nx = template.values.shape
    x, y, z = (((n - 1) / 2 - n // 2) * template.voxel_size for n in (nx, ny, nz))
    return x, y, z


def _centre_of_field(field: WaveGrid) -> Tensor:  # (2,) Å
    """Middle of the field from pixel n // 2, as x, y."""
    ny, nx = field.shape
    middle = [(n - 1) / 2 - n // 2 for n in (nx, ny)]
    return torch.tensor(middle, dtype=torch.float64) * field.pixel_size


def _lens(optics: Optics, beam: ElectronBeam, pixel: float, wavelength: float) -> Lens:
    """Lens that passes what aperture and pixels let through; its defocus is that of each tilt."""
    nyquist = rad_to_mrad(wavelength * 0.5 / pixel)
    # TEM-simulator's spreads are sqrt(2) standard deviations.
    made = Lens(
        pixel,
        defocus_um=0.0,
        cs_mm=optics.cs_mm,
        cc_mm=optics.cc_mm,
        energy_spread_ev=beam.energy_spread_ev / math.sqrt(2),
        source_semiangle_mrad=optics.cond_ap_angle_mrad / math.sqrt(2),
        aperture_mrad=min(aperture_mrad(optics), nyquist * (1 - 1e-6)),
        aperture_softness_mrad=1e-7 * nyquist,
    )
    return made.double()


def _film(sample: Sample, pixel: float, angle: float, step: float) -> HoleyIce:
    """Ice and support, blurred as TEM-simulator does."""
    return HoleyIce(
        pixel,
        hole_diameter_nm=sample.diameter_nm,
        center_thickness_nm=max(sample.thickness_center_nm, THINNEST_NM),
        edge_thickness_nm=max(sample.thickness_edge_nm, THINNEST_NM),
        offset_nm=(sample.offset_x_nm, sample.offset_y_nm),
        mean_free_path_nm=None,
        aperture_mrad=angle,
        angular_step_mrad=step,
        between_pixels=True,
    )
