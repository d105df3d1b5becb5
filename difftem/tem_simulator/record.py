"""Write what was simulated: images, maps, tables, log, preview and record."""

import dataclasses
from pathlib import Path
from typing import Any

from difftem.simulation import record as run_record
from difftem.simulation.peak_memory import peak_memory_bytes
from difftem.simulation.run import Stopwatch
from difftem.tem_simulator.files.contents import TemSimulatorInput
from difftem.tem_simulator.files.images import write_tilt_series
from difftem.tem_simulator.files.maps import write_map
from difftem.tem_simulator.files.specimen import ParticleInput
from difftem.tem_simulator.files.tables import (
    write_coordinates,
    write_defoci,
    write_doses,
    write_errors,
    write_geometry,
)
from difftem.tem_simulator.outputs import PREVIEW, RECORD, Staging, map_outputs
from difftem.tem_simulator.particles import MapTemplate
from difftem.tem_simulator.series import RecordedSeries
from difftem.units import ANGSTROM_PER_NM


def write_maps(particle: ParticleInput, template: MapTemplate, staged: Staging) -> list[str]:
    """Write the maps of one particle, and return notes."""
    notes = []
    values = template.written
    parts = [values.real, values.imag] if values.is_complex() else [values]
    wanted = (particle.map_file_re_out, particle.map_file_im_out)
    for path, part in zip(wanted, parts, strict=False):
        if path is not None and path in map_outputs(particle):
            written = write_map(
                staged.path(path),
                part,
                template.voxel_size,
                file_format=particle.map_file_format,
                byte_order=particle.map_file_byte_order,
                axis_order=particle.map_axis_order,
            )
            notes += [f"{path.name}: {note}" for note in written]
    return notes


def write_series(
    simulation: TemSimulatorInput, series: RecordedSeries, staged: Staging
) -> list[str]:
    """Write images of all detectors and tables of what was drawn, and return notes."""
    notes = []
    _, geometry, beam, optics = simulation.micrograph_parts()
    for camera, images in zip(series.cameras, series.images, strict=True):
        detector = camera.component
        written = write_tilt_series(
            staged.path(detector.image_file_out),
            images,
            camera.pixel_size,
            series.tilts.angles_deg,
            geometry.tilt_axis_deg,
            file_format=detector.image_file_format,
            byte_order=detector.image_file_byte_order,
            axis_order=detector.image_axis_order,
        )
        notes += [f"{detector.image_file_out.name}: {note}" for note in written]
    for particleset, (_, *poses) in zip(simulation.particlesets, series.instances, strict=True):
        if particleset.coord_file_out is not None:
            write_coordinates(staged.path(particleset.coord_file_out), *poses)
    if geometry.geom_file_out is not None:
        write_geometry(staged.path(geometry.geom_file_out), series.tilts)
    if geometry.error_file_out is not None:
        write_errors(staged.path(geometry.error_file_out), series.tilts)
    if beam.dose_file_out is not None:
        write_doses(staged.path(beam.dose_file_out), series.doses)
    if optics.defocus_file_out is not None:
        write_defoci(staged.path(optics.defocus_file_out), series.defoci)
    return notes


def write_preview(
    folder: Path, simulation: TemSimulatorInput, series: RecordedSeries, staged: Staging
) -> None:
    """Draw the middle image of the first detector that has noise, or of the first one."""
    # At the top it would delay what needs no plot.
    from difftem.simulation.preview import draw_preview, image_title, save_figure

    middle = len(series.doses) // 2
    beam = simulation.electronbeam
    voltage = 0.0 if beam is None else beam.acc_voltage_kv
    title = (
        f"{simulation.path.name}: {voltage:g} kV, "
        f"defocus {series.defoci[middle] / 1e4:.4g} µm, {series.doses[middle]:.4g} e/Å²"
    )
    camera, image = series.cameras[series.shown], series.images[series.shown][middle]
    clean = series.noise_free if camera.component.use_quantization else None
    which = image_title(middle, series.tilts.angles_deg.tolist())
    if len(series.cameras) > 1:
        which = f"{camera.component.image_file_out.name}{', ' if which else ''}{which}"
    figure = draw_preview(clean, image, camera.pixel_size, title, which)
    save_figure(figure, staged.path(folder / PREVIEW))


def write_record(
    folder: Path,
    simulation: TemSimulatorInput,
    templates: dict[str, MapTemplate],
    series: RecordedSeries | None,
    stopwatch: Stopwatch,
    notes: list[str],
    staged: Staging,
) -> None:
    """Write what was done, with what, and how long it took, as JSON."""
    record: dict[str, Any] = {
        "input": str(simulation.path),
        "components": [
            {"type": kind, **dataclasses.asdict(part)} for kind, part in simulation.components()
        ],
        "seed": simulation.simulation.rand_seed,
        "notes": notes,
        "maps": {
            name: {
                "size": list(reversed(template.values.shape)),
                "voxel_size_nm": template.voxel_size / ANGSTROM_PER_NM,
            }
            for name, template in templates.items()
        },
    }
    if series is not None:
        record["sampling"] = dataclasses.asdict(series.field)
        record["n_particles"] = sum(len(each[1]) for each in series.instances)
        record["tilts_deg"] = series.tilts.angles_deg.tolist()
        record["doses_e_per_a2"] = series.doses.tolist()
        record["mean_expected_counts_per_pixel"] = series.mean_counts
    record["seconds"] = {name: round(value, 4) for name, value in stopwatch.seconds.items()}
    record["peak_memory_bytes"] = peak_memory_bytes()
    record["versions"] = run_record.versions()
    run_record.write_record(staged.path(folder / RECORD), record)
