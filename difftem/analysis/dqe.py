"""Noise power over squared mean, and the detective quantum efficiency."""

import torch
from torch import Tensor


def normalised_noise_power(
    power: Tensor,  # (n,) grey values²
    mean: Tensor,  # () grey values
) -> Tensor:  # (n,)
    r"""Noise power relative to the squared mean (NNPS), in pixels.

    .. math:: \mathrm{NNPS}(\omega) = S(\omega) / m^2

    Parameters
    ----------
    power : Tensor
        Noise power spectrum S of flat fields, normalised as
        `difftem.analysis.noise_spectrum.mean_periodogram`.
    mean : Tensor
        Mean grey value m without the camera's offset.

    Returns
    -------
    Tensor
        Times the pixel area it has the unit of area, as IEC 62220-1 has it.

    References
    ----------
    IEC 62220-1 (2003), section 6.3.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.dqe import normalised_noise_power
    >>> normalised_noise_power(torch.full((2,), 16.0), torch.tensor(16.0)).tolist()  # 1 / 16
    [0.0625, 0.0625]
    """
    return power / mean**2


def detective_quantum_efficiency(
    mtf: Tensor,  # (n,)
    nnps: Tensor,  # (n,)
    fluence: float,  # e/pixel
) -> Tensor:  # (n,)
    r"""Signal-to-noise ratio squared out over in.

    .. math:: \mathrm{DQE}(\omega) = \frac{\mathrm{MTF}(\omega)^2}
              {\bar N\, \mathrm{NNPS}(\omega)}

    The MTF must be that of the signal, from a knife edge for instance. With the square root of
    the noise spectrum in its place the result is DQE(0) at all frequencies, whatever the camera.

    Parameters
    ----------
    mtf : Tensor
        MTF of the signal.
    nnps : Tensor
        From `normalised_noise_power`.
    fluence : float
        Electrons that reached the detector, per pixel.

    Returns
    -------
    Tensor
        DQE at the same frequencies.

    Raises
    ------
    ValueError
        If the fluence is not positive.

    References
    ----------
    IEC 62220-1 (2003), equation 1; Meyer & Kirkland, Microsc. Res. Tech. 49 (2000) 269.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.dqe import detective_quantum_efficiency, normalised_noise_power
    >>> mtf = torch.tensor([1.0, 0.8, 0.5])
    >>> nnps = normalised_noise_power(torch.full((3,), 16.0), torch.tensor(16.0))  # it counts 16 of
    >>> dqe = detective_quantum_efficiency(mtf, nnps, fluence=20.0)  # 20 electrons
    >>> [round(value, 3) for value in dqe.tolist()]
    [0.8, 0.512, 0.2]
    """
    if not fluence > 0:
        raise ValueError(f"fluence must be positive, got {fluence} electrons per pixel")
    return mtf**2 / (fluence * nnps)


def relative_dqe(
    mtf: Tensor,  # (n,)
    ntf: Tensor,  # (n,)
    dqe0: float = 1.0,
) -> Tensor:  # (n,)
    r"""DQE from DQE(0) and the transfer functions of signal and noise.

    .. math:: \mathrm{DQE}(\omega) = \mathrm{DQE}(0)\,
              \frac{\mathrm{MTF}(\omega)^2}{\mathrm{NTF}(\omega)^2}

    NTF² is the noise power over its value at zero frequency.

    Parameters
    ----------
    mtf, ntf : Tensor
        At the same frequencies, 1 at zero.
    dqe0 : float
        DQE(0) in (0, 1].

    Returns
    -------
    Tensor
        DQE.

    Raises
    ------
    ValueError
        If DQE(0) is not in (0, 1].

    References
    ----------
    McMullan, Chen, Henderson & Faruqi, Ultramicroscopy 109 (2009) 1126, equation 2.

    Examples
    --------
    >>> import torch
    >>> from difftem.analysis.dqe import relative_dqe
    >>> mtf, ntf = torch.tensor([1.0, 0.5]), torch.tensor([1.0, 1.0])
    >>> relative_dqe(mtf, ntf, dqe0=0.5).tolist()  # counted electrons: white noise
    [0.5, 0.125]
    """
    if not 0 < dqe0 <= 1:
        raise ValueError(f"dqe0 must be in (0, 1], got {dqe0}")
    return dqe0 * torch.square(mtf / ntf)
