"""Topaz, a program of its own, called as its users call it."""

import os
import subprocess
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from difftem.baselines.coarse import coarser, finer
from difftem.baselines.summed import summed
from difftem.baselines.topaz_environment import VERSION, find_topaz
from difftem.io.mrc import read_mrc, write_mrc

MODEL_VARIABLE = "DIFFTEM_TOPAZ_MODEL"
PRETRAINED = ("unet", "unet-small", "fcnn", "affine")
_WHOLE = 2048**2  # pixels: an inner patch of Topaz's own default has nearly as many


def topaz(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    model: str | Path = "unet",
    binning: float = 1.0,
) -> Tensor:  # (y, x)
    """Denoise with a network of Topaz, in a process of its own and on the CPU.

    Whitened values are written as grey values. Topaz subtracts the mean of what it reads, divides
    by the standard deviation and undoes both at the end, so that offset and scale of the file make
    no difference, but the spread of a strong signal makes the noise that its network sees smaller.
    Images of up to 2048 x 2048 pixels are denoised as a whole, larger ones in Topaz's own tiles.

    Parameters
    ----------
    exposures : Tensor
        Whitened: noise of variance 1 in each, shape ``(n, y, x)``.
    electrons : float
        Effective electrons per pixel in each; not used.
    generator : torch.Generator, optional
        Not used.
    model : str or Path
        One of `PRETRAINED`, or a file that Topaz's training has saved. It is a pickle, which may
        run any code: take it from whom you trust.
    binning : float
        Side of the larger pixels that are denoised; finer detail is left out.

    Returns
    -------
    Tensor
        Estimate of an exposure without noise, shape ``(y, x)``.

    Raises
    ------
    ValueError
        If Topaz is not installed, fails, or loads another model than was asked for.

    References
    ----------
    Bepler, Kelley, Noble and Berger, Nature Commun. 11 (2020) 5208.
    """
    image, _, scale = summed(exposures, electrons)
    coarse = coarser(image, binning)
    return finer(_called(coarse, model), (image.shape[0], image.shape[1])) / scale


def topaz_small(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    binning: float = 1.0,
) -> Tensor:  # (y, x)
    """Denoise with Topaz's ``unet-small``; all else is as of `topaz`."""
    return topaz(exposures, electrons, generator, model="unet-small", binning=binning)


def topaz_trained(
    exposures: Tensor,  # (n, y, x)
    electrons: float,
    generator: torch.Generator | None = None,
    *,
    model: str | Path | None = None,
    binning: float = 1.0,
) -> Tensor:  # (y, x)
    """Denoise with what Topaz has learnt from pairs of ours: `topaz_model`; else as `topaz`."""
    return topaz(exposures, electrons, generator, model=topaz_model(model), binning=binning)


def topaz_model(model: str | Path | None = None) -> Path:
    """Find the model that was given, or that DIFFTEM_TOPAZ_MODEL names.

    Parameters
    ----------
    model : str or Path, optional
        File.

    Returns
    -------
    Path
        Of a file that exists.

    Raises
    ------
    ValueError
        If there is none: one line with the command that trains it.
    """
    found = model or os.environ.get(MODEL_VARIABLE)
    if not found:
        raise ValueError(
            "method topaz_trained has no model of its own: python -m experiments.topaz_training.run"
            f" trains one, --weights FILE or ${MODEL_VARIABLE} names it"
        )
    path = Path(found).expanduser()
    if not path.is_file():
        raise ValueError(f"{found}: no such file")
    return path


def _called(image: Tensor, model: str | Path) -> Tensor:  # (y, x)
    """Write an image, let Topaz denoise it, and read the result."""
    executable = find_topaz()
    name = str(model) if str(model) in PRETRAINED else _model_file(model)
    patches = ["-s", "0"] if image.numel() <= _WHOLE else []
    with tempfile.TemporaryDirectory() as folder:
        write_mrc(Path(folder) / "image.mrc", image.cpu().numpy(), 1.0)
        words = ["denoise", "image.mrc", "-o", "out", "-m", name, "-d", "-1", *patches]
        said = run_topaz(executable, words, folder)
        # Versions 0.3 take their unet for every name and file, and say so.
        if name != "unet" and "unet_L2" in said:
            raise ValueError(
                f"{executable} loads its unet instead of {name}: versions 0.3 of Topaz do that, "
                f"{VERSION} does not"
            )
        values = read_mrc(Path(folder) / "out" / "image.mrc").data
    return torch.from_numpy(values.squeeze().copy()).to(image)


def run_topaz(executable: Path, words: list[str], folder: str | Path) -> str:
    """Run Topaz in a folder.

    Parameters
    ----------
    executable : Path
        As from `find_topaz`.
    words : list of str
        What follows its name.
    folder : str or Path
        It runs there.

    Returns
    -------
    str
        What it said.

    Raises
    ------
    ValueError
        If it fails: with the last line of what it said.
    """
    # Trained models are pickles of whole networks, which torch 2.6 and later refuse unless told.
    environment = os.environ | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    done = subprocess.run(
        [str(executable), *words], cwd=folder, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise ValueError(f"{executable} {words[0]} failed with code {done.returncode}: {last}")
    return done.stdout + done.stderr


def _model_file(model: str | Path) -> str:
    """Path of a trained model."""
    path = Path(model).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{model}: no such file, and none of Topaz's models: {', '.join(PRETRAINED)}"
        )
    return str(path.absolute())
