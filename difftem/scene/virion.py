"""A virion like SARS-CoV-2, from a membrane, spikes, M proteins and ribonucleoproteins.

Numbers and sizes are rounded from memory of the papers below, not read off them; what is marked
as assumed comes from nowhere.

References
----------
Ke et al., Nature 588 (2020) 498: 91 nm across, 24 ± 9 spikes, mean tilt 48°. Yao et al., Cell 183
(2020) 730; Klein et al., Nat. Commun. 11 (2020) 5885: 38 ± 10 ribonucleoproteins, 14 nm wide and
16 nm high. Bar-On et al., eLife 9 (2020) e57309: about 2000 M proteins.
"""

import math

import torch
from torch import Tensor

from difftem.functional.solvent import ICE_DENSITY_G_PER_CM3
from difftem.scene.assembly import Assembly, Blob, Copies, Shell
from difftem.scene.matter import (
    AREA_PER_LIPID,
    LIPID_HEAD,
    LIPID_TAILS,
    PROTEIN_RESIDUE,
    RNA_NUCLEOTIDE,
    Matter,
)
from difftem.scene.packing import PackingRequest, pack
from difftem.scene.poses import ParticlePoses
from difftem.scene.regions import Ball
from difftem.scene.spikes import SPIKE_6VXX, SpikeShape, lean, stand_spikes

# Along the outward normal from the middle of the membrane, Å.
_HEADS = 19.0  # where the headgroups' Gaussians stand
_HEAD_WIDTH = 3.0  # their standard deviation: heads share the layer with water
_EDGE = 2.5  # standard deviation of the edges of all layers; assumed
_OUTER = 22.0  # outer surface: heads end and spikes begin
_M_INSIDE = (-57.0, -22.0)  # the M proteins' inner domains; assumed
_LUMEN = -60.0  # inner contents end here

_M_RESIDUES = 222
_M_IN_MEMBRANE = 0.45  # of its residues: three helices and what joins them; assumed
_N_RESIDUES, _N_PER_RNP = 419, 12
_NUCLEOTIDES_PER_RNP = 800  # 30 kb shared by 38
_RNP_SIGMA = 39.0  # a Gaussian of the second moment of a cylinder 140 Å wide, 160 Å high
_RNP_RADIUS = 65.0  # for packing: cylinders lie closer than their bounding spheres; assumed
_STALK_RESIDUES = 3 * (1273 - 1147)  # what 6VXX lacks of a trimer at its foot
_STALK_BLOBS = 9
_STALK_SIGMA = 8.0  # three thin chains; assumed
_SPIKE_HEAVY_ATOMS = 22812  # of 6VXX


def sars_cov_2(
    generator: torch.Generator,
    *,
    radius: float = 450.0,
    axes: tuple[float, float, float] = (1.0, 1.0, 1.0),
    spikes: int = 26,
    tilt_mean_deg: float = 48.0,
    tilt_max_deg: float = 60.0,
    spike: SpikeShape = SPIKE_6VXX,
    spike_spacing: float = 120.0,
    m_proteins: int = 2000,
    rnps: int = 38,
    lumen_fraction: float = 0.25,
    ice_density_g_per_cm3: float = ICE_DENSITY_G_PER_CM3,
    name: str = "sars-cov-2",
) -> Assembly:
    """Build a virion like SARS-CoV-2; another state of the generator gives another one.

    A lipid bilayer crossed by M proteins, whose inner domains line it; spikes outside, leaning;
    ribonucleoproteins packed inside, in a filling of protein. Potentials follow from composition
    (`difftem.scene.matter`), so that the whole stands for about 13 million atoms without
    hydrogen.

    Parameters
    ----------
    generator : torch.Generator
        Source of randomness.
    radius : float
        Of the middle of the membrane in Å.
    axes : tuple of float
        Stretch along x, y and z, each at least 1.
    spikes : int
        Number of spikes.
    tilt_mean_deg, tilt_max_deg : float
        Mean and largest angle between a spike and the normal in degrees.
    spike : SpikeShape
        Template of the spike.
    spike_spacing : float
        Least distance of two spikes on the membrane in Å.
    m_proteins : int
        M proteins, two to a dimer.
    rnps : int
        Ribonucleoprotein complexes.
    lumen_fraction : float
        Of the inside that other protein fills; assumed, for the number of atoms.
    ice_density_g_per_cm3 : float
        Of the ice that all of it displaces, in g/cm³.
    name : str
        Of the assembly.

    Returns
    -------
    Assembly
        A `Shell`, two sets of `Blob` and the `Copies` of the spike.

    Raises
    ------
    ValueError
        If it is too small for what is in or on it.
    """
    if min(axes) < 1:
        raise ValueError(f"axes must be 1 or more: radius is the shortest, got {axes}")
    if not 0 <= lumen_fraction <= 1:
        raise ValueError(f"lumen_fraction must be 0 to 1, got {lumen_fraction}")
    if radius + _LUMEN <= 2 * _EDGE:
        raise ValueError(f"radius must exceed {2 * _EDGE - _LUMEN:.0f} Å, got {radius} Å")
    density = ice_density_g_per_cm3
    shell, atoms = _envelope(radius, axes, m_proteins, lumen_fraction, density)
    tilt = lean(spikes, tilt_mean_deg, tilt_max_deg, generator)
    outer = radius + _OUTER
    standing = stand_spikes(spikes, outer, spike, tilt, generator, spike_spacing, axes)
    request = PackingRequest(Ball(radius + _LUMEN), _RNP_RADIUS, rnps, "ribonucleoproteins")
    (inside,) = pack([request], generator)
    cores = _blob(
        inside * torch.tensor(axes, dtype=torch.float64),
        _RNP_SIGMA,
        density,
        (PROTEIN_RESIDUE, _N_PER_RNP * _N_RESIDUES),
        (RNA_NUCLEOTIDE, _NUCLEOTIDES_PER_RNP),
    )
    stalks = _blob(
        _stalks(standing, spike),
        _STALK_SIGMA,
        density,
        (PROTEIN_RESIDUE, _STALK_RESIDUES / _STALK_BLOBS),
    )
    rnp_atoms = _N_PER_RNP * _N_RESIDUES * PROTEIN_RESIDUE.heavy_atoms
    rnp_atoms += _NUCLEOTIDES_PER_RNP * RNA_NUCLEOTIDE.heavy_atoms
    atoms["ribonucleoproteins"] = rnps * rnp_atoms
    stalk_atoms = _STALK_RESIDUES * PROTEIN_RESIDUE.heavy_atoms
    atoms["spikes"] = spikes * (_SPIKE_HEAVY_ATOMS + stalk_atoms)
    top = max(place + size for place, size in spike.body)
    corona = float(standing.positions.norm(dim=-1).max()) + top if spikes else 0.0
    return Assembly(
        name,
        (shell, cores, stalks, Copies(standing)),
        max(corona, max(axes) * float(shell.radii[-1])),
        atoms,
    )


def _envelope(
    radius: float,
    axes: tuple[float, float, float],
    m_proteins: int,
    lumen_fraction: float,
    ice_density: float,
) -> tuple[Shell, dict[str, float]]:
    """Membrane, M proteins and filling as one profile, and the atoms of each."""
    r = torch.arange(0.0, radius + _OUTER + 4 * _HEAD_WIDTH + 1, 0.5, dtype=torch.float64)
    z = r - radius
    area = 4 * math.pi * r**2 * math.prod(axes)
    tails = _box(z, -1, 1, half=LIPID_TAILS.volume / AREA_PER_LIPID)
    height = LIPID_HEAD.volume / AREA_PER_LIPID / (_HEAD_WIDTH * math.sqrt(2 * math.pi))
    heads = height * torch.exp(-((z.abs() - _HEADS) ** 2) / (2 * _HEAD_WIDTH**2))
    m_volume = m_proteins * _M_RESIDUES * PROTEIN_RESIDUE.volume
    crossing = _scaled(_box(z, -1, 1, half=_OUTER), area, r, _M_IN_MEMBRANE * m_volume)
    lining = _scaled(_box(z, *_M_INSIDE), area, r, (1 - _M_IN_MEMBRANE) * m_volume)
    filling = lumen_fraction * _box(z, -2 * radius, _LUMEN)
    if float((crossing + lining + filling).max()) > 1:
        raise ValueError(f"{m_proteins} M proteins do not fit into a membrane of {radius} Å radius")
    # Proteins take the place of lipids.
    tails, heads = tails * (1 - crossing), heads * (1 - crossing)
    layers = [
        ("lipids", tails, LIPID_TAILS),
        ("lipids", heads, LIPID_HEAD),
        ("M proteins", crossing + lining, PROTEIN_RESIDUE),
        ("filling", filling, PROTEIN_RESIDUE),
    ]
    values = torch.zeros_like(r)
    atoms: dict[str, float] = {}
    for component, fraction, matter in layers:
        values += fraction * matter.contrast(ice_density)
        units = float(torch.trapezoid(fraction * area, r)) / matter.volume
        atoms[component] = atoms.get(component, 0.0) + units * matter.heavy_atoms
    return Shell(radius, r, values, axes), atoms


def _box(z: Tensor, low: float, high: float, half: float = 1.0) -> Tensor:  # (n,)
    """1 between `low` and `high` times `half`, with soft edges."""
    width = math.sqrt(2) * _EDGE
    return 0.5 * (torch.erf((z - half * low) / width) - torch.erf((z - half * high) / width))


def _scaled(layer: Tensor, area: Tensor, r: Tensor, volume: float) -> Tensor:  # (n,)
    """Scale a layer so that it fills a volume in Å³."""
    return layer * volume / float(torch.trapezoid(layer * area, r))


def _blob(
    positions: Tensor, sigma: float, ice_density: float, *contents: tuple[Matter, float]
) -> Blob:
    """Gaussians that each hold units of matter."""
    integral = sum(n * matter.volume * matter.contrast(ice_density) for matter, n in contents)
    return Blob(positions, sigma, integral / (2 * math.pi * sigma**2) ** 1.5)


def _stalks(standing: ParticlePoses, spike: SpikeShape) -> Tensor:  # (n * _STALK_BLOBS, 3)
    """Places along the stalks, from the middle of the membrane to the feet."""
    along = torch.linspace(-_OUTER, spike.stalk, _STALK_BLOBS, dtype=torch.float64)
    down = (along - spike.stalk - spike.foot)[:, None] * standing.rotations[:, None, :, 2]
    return (standing.positions[:, None] + down).flatten(0, 1)
