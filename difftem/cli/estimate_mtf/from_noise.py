"""The MTF from the noise of background crops."""

from dataclasses import replace

from difftem.cli.estimate_mtf.options import Options
from difftem.data.real_crops import RealCrops
from difftem.tasks.mtf_fit import (
    FAMILIES,
    MTFFitResult,
    fit_spectrum,
    measure,
    mtf_family,
    restrict,
    select_family,
    usable_from,
    without_ice_ring,
)


def read_crops(options: Options) -> RealCrops:
    """Read the files, choose crops and cut them.

    Parameters
    ----------
    options : Options
        Of the command line.

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
    options: Options,
) -> tuple[list[MTFFitResult], list[str]]:
    """Fit one family, or all and take the one with the smallest AIC.

    Parameters
    ----------
    data : RealCrops
        From `read_crops`.
    options : Options
        Of the command line.

    Returns
    -------
    tuple of list of MTFFitResult and list of str
        The chosen fit first, then the others; and what was decided on the way, a line each.

    Raises
    ------
    ValueError
        For an unknown family or crops that are no noise.
    """
    if options.family != "auto" and options.family not in FAMILIES:
        raise ValueError(
            f"--family must be auto or one of {', '.join(FAMILIES)}, got {options.family!r}"
        )
    crops, facts = data.crops, data.facts
    measured, s0 = measure(
        crops.images,
        crops.means,
        facts.gain,
        limits=(options.min_frequency or 0.0, options.max_frequency),
        window=options.window,
    )
    decided = []
    lowest = options.min_frequency
    if lowest is None and not facts.differences:
        lowest = usable_from(measured, s0)
        if lowest:
            clean = restrict(measured.spectrum, lowest)
            decided.append(
                f"structure of the specimen below {lowest:g} cycles/pixel: the fit starts there, "
                "and the curve below is continued by the family"
            )
            if facts.pixel_size is not None:
                rings = len(clean.frequency)
                clean = without_ice_ring(clean, facts.pixel_size)
                if len(clean.frequency) < rings:
                    decided.append("the diffraction ring of ice at 3.7 Å is left out")
            measured = replace(measured, spectrum=clean)
    read_noise = None if options.read_noise is None else (facts.read_noise or 0.0)
    if options.family != "auto":
        curve = mtf_family(options.family, float(measured.spectrum.frequency[-1]))
        result = fit_spectrum(measured, curve, s0, read_noise, family=options.family)
        return [result], decided
    return select_family(measured, None, s0, read_noise), decided
