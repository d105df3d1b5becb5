"""What denoising gives: images, numbers, a report, files."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from difftem.io.files import replacing
from difftem.simulation.preview import save_figure, show_figure
from difftem.simulation.record import versions, write_record
from difftem.workflows.denoise.one_image import ImageNumbers
from difftem.workflows.denoise.output import check_output, output_files, write_image


@dataclass(frozen=True, eq=False)
class DenoiseResult:
    """Images without noise, and what is known about them.

    Attributes
    ----------
    name : str
        Of the first file.
    files : list of Path
        That it was made of.
    mean : Tensor
        Denoised image ``(y, x)``, or stack ``(n, y, x)``: grey values of the input.
    residual : Tensor
        What was taken off the mean of the exposures, grey values.
    std : Tensor or None
        Standard deviation of `mean`, where it was asked for.
    marked : Tensor or None
        `mean` where it exceeds what blank images show, where that was asked for.
    method : str
        That was used.
    pixel_size : float or None
        Å.
    numbers : list of ImageNumbers
        One for each image.
    settings : dict
        What was asked for.
    messages : list of str
        All that was said.
    report : str
        All of it in Markdown.
    figure : Figure
        Of matplotlib: input, denoised, spectra.
    """

    name: str
    files: list[Path]
    mean: Tensor
    residual: Tensor
    std: Tensor | None
    marked: Tensor | None
    method: str
    pixel_size: float | None
    numbers: list[ImageNumbers]
    settings: dict[str, Any]
    messages: list[str]
    report: str
    figure: Any

    def show(self) -> None:
        """Show the panel in a window or a notebook."""
        show_figure(self.figure)

    def save(
        self, path: str | Path, overwrite: bool = False, extras: Sequence[str] = ()
    ) -> list[Path]:
        """Write the image, report, panel and record, all or nothing.

        Parameters
        ----------
        path : str or Path
            MRC or TIFF file to write; the others get its name.
        overwrite : bool
            Replace files that exist.
        extras : sequence of {"std", "residual", "marked"}
            Images to write beside it, as ``NAME_std.mrc`` and so on.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        InputError
            If a file exists and `overwrite` is false, or the folder does not exist.
        ValueError
            If there is no standard deviation to write.
        """
        path = Path(path)
        check_output(path, overwrite, extras)
        files = output_files(path, extras)
        known: dict[str, Tensor | None] = {
            "mean": self.mean,
            "residual": self.residual,
            "std": self.std,
            "marked": self.marked,
        }
        images = {name: image for name, image in known.items() if image is not None}
        for name in extras:
            if name not in images:
                raise ValueError(f"there is no {name} image: ask for it when denoising")
        source = self.files[0] if len(self.files) == 1 else None
        with ExitStack() as stack:
            part = {n: stack.enter_context(replacing(f, overwrite)) for n, f in files.items()}
            for name in ("mean", *extras):
                image, label = images[name], self._label(name)
                write_image(part[name], path.suffix, image, self.pixel_size, label, source)
            part["report"].write_text(self.report, "utf-8")
            save_figure(self.figure, part["panel"])
            write_record(part["record"], self.record())
        return list(files.values())

    @property
    def summary(self) -> str:
        """One line of the result."""
        first = self.numbers[0]
        many = f"{len(self.numbers)} images, " if len(self.numbers) > 1 else ""
        return (
            f"{self.name}: {many}method {self.method}, {100 * first.signal_share:.3g} % of the "
            f"variance kept, residual variance {first.residual_variance:.3g} (noise = 1)"
        )

    def record(self) -> dict[str, Any]:
        """All numbers, settings and messages, as the JSON file has them."""
        return {
            "name": self.name,
            "method": self.method,
            "pixel_size_angstrom": self.pixel_size,
            "settings": self.settings,
            "images": [asdict(each) for each in self.numbers],
            "messages": self.messages,
            "versions": versions(),
        }

    def _label(self, name: str) -> str:
        """Line for the header."""
        what = {"mean": "denoised", "std": "standard deviation"}.get(name, name)
        return f"difftem denoise, {what}, method {self.method}"
