# %% [markdown]
"""A first micrograph
==================

From a structure to an image in five lines.

The structure is apoferritin (PDB entry 4V1W), which comes with difftem. For your own, put the name
of an mmCIF or PDB file first: `difftem.simulate("5ire.cif.gz", defocus_um=2.0)`.
"""

# %%
import math
import tempfile

import difftem

result = difftem.simulate(size=(256, 256), pixel_size=1.5, defocus_um=2.0, dose_e_per_a2=40.0)
result.show()
folder = result.save(f"{tempfile.mkdtemp()}/first")

# %% [markdown]
# `size` is in pixels (x, y), `pixel_size` in Å, `defocus_um` in µm with underfocus positive,
# `dose_e_per_a2` in electrons per Å². All else has a default: 300 kV, Cs 2.7 mm, a K3 camera, and
# ice just thick enough. `difftem simulate --help` lists every setting.
#
# The folder holds images that RELION and IMOD can read, a picture, and a record of all that was
# chosen. The result has the images as tensors: `micrographs` with counting noise, and
# `noise_free`, the mean of very many of them, both in grey values.

# %%
print(sorted(path.name for path in folder.iterdir()))
micrograph, noise_free = result.micrographs[0], result.noise_free[0]
print(tuple(micrograph.shape), f"{result.pixel_size} Å/px, {result.mean_counts:.1f} electrons/px")

# %% [markdown]
# difftem chose slices of the specimen, and how much to simulate around the image: at its edges it
# would show what is on the other side.

# %%
print(f"{result.sampling.n_slices} slices of {result.sampling.slice_thickness:.1f} Å")
print(f"simulated {result.sampling.shape}, kept {result.sampling.crop}")

# %% [markdown]
# What it has to say is logged, and kept in `messages`. Of a field too small, for example:

# %%
small = difftem.simulate(size=(48, 48), pixel_size=2.0, defocus_um=2.0)
print(*small.messages, sep="\n")
assert any("64, 64" in line for line in small.messages)

# %% [markdown]
# Do the images make sense? Ice scatters electrons away, so fewer arrive than the 90 that fall on a
# pixel of 1.5 x 1.5 Å². At underfocus protein is dark: the darkest pixel is one of the shell, whose
# radius is 38 Å inside and 61 Å outside.

# %%
noise = micrograph - noise_free
print(f"grey values: signal {noise_free.std():.2f}, noise {noise.std():.2f}")
row, column = divmod(int(noise_free.argmin()), 256)
radius = math.hypot(row - 128, column - 128) * result.pixel_size
print(f"darkest {radius:.0f} Å from the centre")
assert 80 < result.mean_counts < 90 and abs(noise.mean()) < 0.2 and 38 < radius < 61
