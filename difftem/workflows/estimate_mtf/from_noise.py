"""The MTF from the noise of background crops."""

from dataclasses import replace

from difftem.analysis.noise_spectrum import RingSpectrum
from difftem.analysis.ring_bins import equal_bins, merge_rings
from difftem.data.real_crops import RealCrops
from difftem.tasks.mtf_fit import (
    STRUCTURE,
    MTFFitResult,
    fit_spectrum,
    measure,
    mtf_family,
    restrict,
    select_family,
    usable_from,
    without_ice_ring,
)
from difftem.workflows.estimate_mtf.level import told_by_dose, with_told_level
from difftem.workflows.estimate_mtf.options import EstimateOptions

_BINS = 20
_MOST_POWER = 1.5  # the ring of ice adds a quarter, read noise is small beside counts


def read_crops(options: EstimateOptions) -> RealCrops:
    """Read the files, choose crops and cut them.

    Parameters
    ----------
    options : EstimateOptions
        What was asked for.

    Returns
    -------
    RealCrops
        Set up.

    Raises
    ------
    ValueError
        For bad input, in one line that names the file.
    """
    data = RealCrops(
        options.micrographs,
        size=options.size,
        n=options.crops,
        boxes=options.boxes,
        gain=options.gain,
        dose=options.dose,
        dqe0=options.dqe0,
        read_noise=options.read_noise,
        pixel_size=options.pixel_size,
        frames=options.frames,
        fields=options.fields,
        differences=False if options.single else None,
    )
    data.setup()
    return data


def fit_noise(
    data: RealCrops,
    options: EstimateOptions,
) -> tuple[list[MTFFitResult], list[str]]:
    """Fit one family, or all and take the one with the smallest AIC.

    Parameters
    ----------
    data : RealCrops
        From `read_crops`.
    options : EstimateOptions
        What was asked for.

    Returns
    -------
    tuple of list of MTFFitResult and list of str
        The chosen fit first, then the others; and what was decided on the way, a line each.

    Raises
    ------
    ValueError
        For crops that are no noise, or more noise than the gain allows.
    """
    crops, facts = data.crops, data.facts
    measured, s0 = measure(
        crops.images,
        crops.means,
        facts.gain,
        limits=(options.min_frequency or 0.0, options.max_frequency),
        window=options.window,
    )
    if s0 is not None:
        _check_level(measured.spectrum, s0, options)
    decided = []
    lowest = options.min_frequency
    registered = facts.differences and facts.aligned
    if lowest is None and not registered:
        lowest = usable_from(measured, s0)
        if lowest and s0 is not None:  # or is it the level that was told?
            lowest = usable_from(measured, None)
        if lowest:
            measured = replace(measured, spectrum=restrict(measured.spectrum, lowest))
            decided.append(
                f"structure below {lowest:g} cycles/pixel, taken for that of the specimen: the fit "
                "starts there (a vacuum image, or a camera that scatters far: --min-frequency 0)"
            )
    if lowest and not registered and facts.pixel_size is not None:
        clean = without_ice_ring(measured.spectrum, facts.pixel_size)
        if len(clean.frequency) < len(measured.spectrum.frequency):
            decided.append("the diffraction ring of ice at 3.7 Å is left out")
        measured = replace(measured, spectrum=clean)
    read_noise = None if options.read_noise is None else (facts.read_noise or 0.0)
    if options.family != "auto":
        curve = mtf_family(options.family, float(measured.spectrum.frequency[-1]))
        results = [fit_spectrum(measured, curve, s0, read_noise, family=options.family)]
    else:
        results = select_family(measured, None, s0, read_noise)
    if s0 is not None:
        results[0] = with_told_level(results[0], measured, s0, read_noise)
    decided += told_by_dose(results[0], facts, float(crops.means.mean()))
    return results, decided


def _check_level(spectrum: RingSpectrum, s0: float, options: EstimateOptions) -> None:
    """Refuse a gain that makes the noise stronger than counted electrons have."""
    above = restrict(spectrum, STRUCTURE)
    if not len(above.frequency):
        return
    bins = merge_rings(above, equal_bins(above, _BINS))
    ratio = float((bins.power / s0).max())
    if ratio > _MOST_POWER:
        given = f"gain {options.gain}"
        if options.gain is None:
            given = f"dose {options.dose} or dqe0 {options.dqe0}"
        raise ValueError(
            f"{options.micrographs[0]}: noise power is {ratio:.3g} times gain x mean, at most 1 is "
            f"possible for counted electrons: {given} is wrong, or the camera does not count "
            "(leave it out); see difftem docs gain"
        )
