# %% [markdown]
"""A scene of many particles, and the truth about it
=================================================

For training a particle picker, say: micrographs, and files that say what is where in them.
"""

# %%
import tempfile

import torch
from matplotlib import pyplot as plt

import difftem
from difftem.io.mrc import read_mrc
from difftem.scene.files.coordinates import read_coordinates

PIXEL, SIZE = 4.0, 256  # Å, pixels
large = {"name": "large", "source": "phantom", "phantom": {"size_nm": [20, 20, 20]}, "count": 8}
small = {"name": "small", "source": "phantom", "phantom": {"size_nm": [10, 10, 10]}, "count": 15}
scenes = difftem.generate(
    tempfile.mkdtemp(),
    particles=[large, small],
    size=(SIZE, SIZE),
    pixel_size=PIXEL,
    ice_thickness_nm=40,
    variation_defocus_um=(2.0, 4.0),  # each micrograph has its own
    micrographs=2,
)
scenes.show()

# %% [markdown]
# A phantom is a random blob: `source` may as well be a structure file, a map, or `apoferritin`.
# Each micrograph has a folder. The same call with more `micrographs` makes only those missing.

# %%
item = scenes.items[0]
print(sorted(path.name for path in item.iterdir()))

# %% [markdown]
# `particles.star` is for RELION. `particles.csv` says the same in Å from the middle of the field.
# In `labels.mrc` each pixel says what it shows: 0 ice, 1 large, 2 small.

# %%
image, labels = (torch.tensor(read_mrc(item / f"{n}.mrc").data) for n in ("noise_free", "labels"))
truth = read_coordinates(item / "particles.csv")
star = read_coordinates(item / "particles.star", pixel_size=PIXEL, shape=(SIZE, SIZE))
plt.figure()
plt.imshow(image.numpy(), "gray", origin="lower")
for kind, same in zip(truth, star, strict=True):
    assert (kind.positions - same.positions).abs().max() < 0.01  # Å
    x, y = (kind.positions[:, :2] / PIXEL + SIZE // 2).T
    plt.plot(x.numpy(), y.numpy(), "+", label=f"{len(x)} {kind.particle}")
plt.legend()
plt.show()

# At underfocus particles are darker than the ice.
ice, *particles = (image[labels == kind].mean().item() for kind in range(3))
print(f"grey values: ice {ice:.1f}, large {particles[0]:.1f}, small {particles[1]:.1f}")
assert max(particles) < ice
