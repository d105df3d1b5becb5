# %% [markdown]
"""A detector's MTF from noise alone
=================================

Electrons fall on a camera at random: white noise. What colours it is the camera, which spreads each
of them over some pixels. So images of nothing tell how much. Here we make some with a spread we
know, and see whether it is found.
"""

# %%
import tempfile
from pathlib import Path

import torch

import difftem
from difftem.io.mrc import write_mrc
from difftem.modules import Detector, LorentzianMTF, PoissonLayer

truth = LorentzianMTF(a=0.7, b=0.2, c=0.1, alpha=10.0, beta=40.0)  # alpha, beta in pixel²
camera = Detector(truth, gain=12.0)  # grey values per electron
electrons = torch.full((3, 1024, 1024), 20.0)  # on average in a pixel; three exposures
counts = PoissonLayer()(electrons, torch.Generator().manual_seed(0))
folder = Path(tempfile.mkdtemp())
write_mrc(folder / "vacuum.mrc", camera(counts).numpy(), voxel_size=1.0)

# %% [markdown]
# Your own images may be of vacuum or of ice: what is the same in all exposures is recognised and
# left out. `gain`, or `dose` in electrons per pixel with the fraction `dqe0` that is counted, fixes
# the level of the noise; without it the errors grow several times. `family` is the shape of the
# curve; by default several are tried, and the best chosen by AIC.

# %%
estimate = difftem.estimate_mtf(folder / "vacuum.mrc", gain=12.0, family="lorentzian")
estimate.show()
estimate.save(folder / "mtf.star")  # for RELION, and for difftem.simulate(mtf="mtf.star")
print(*estimate.notes, *estimate.warnings, sep="\n")

# %% [markdown]
# `warnings` say when to be careful. This one is about real cameras: ours here folds nothing back. A
# camera that writes each electron into one pixel would be named, too: its noise tells nothing.
#
# The curve comes with its standard error. The truth should lie within 2 or 3 of them.

# %%
known = truth(estimate.frequency.float())
for i in range(20, 101, 20):
    value, error = estimate.curve[i].item(), estimate.standard_error[i].item()
    print(f"{estimate.frequency[i]:.1f} cycles/px: {value:.4f} ± {error:.4f}, truth {known[i]:.4f}")
off = (estimate.curve - known).abs()[1:]
print(f"off by {off.max():.4f}, {(off / estimate.standard_error[1:]).max():.1f} standard errors")
assert off.max() < 0.01 and (off / estimate.standard_error[1:]).max() < 3
