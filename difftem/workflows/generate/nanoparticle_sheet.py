"""Images of a set of nanoparticles on one sheet."""

from matplotlib.figure import Figure

from difftem.pictures import draw_array
from difftem.simulation.nanoparticles.nanoparticle_set import NanoparticleSet
from difftem.units import angstrom_to_nm, um_to_angstrom

SHEET = 12  # images at most


def draw_nanoparticles(images: NanoparticleSet) -> Figure:
    """Draw images from all over a set.

    Parameters
    ----------
    images : NanoparticleSet
        The set.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    n = len(images)
    shown = min(n, SHEET)
    across = min(4, shown)
    rows = -(-shown // across)
    figure = Figure(figsize=(3.4 * across, 3.7 * rows), layout="constrained")
    panels = figure.subplots(rows, across, squeeze=False).flatten()
    for k, axes in enumerate(panels):
        if k >= shown:
            axes.axis("off")
            continue
        index = round(k * (n - 1) / max(1, shown - 1))
        row = images.rows[index]
        draw_array(axes, images.image(index))
        axes.axis("off")
        focus = angstrom_to_nm(um_to_angstrom(float(row["defocus_um"])))
        axes.set_title(f"{index}: {focus:.1f} nm, {row['contrast']}", fontsize=9)
    return figure
