"""Pure functions of every stage: plain PyTorch, the reference for the kernels.

The files in the order of the beam path:

Beam
    `beam` : wavelength and interaction constant of an energy
    `wave` : complex waves, their phases and intensities

Atoms
    `form_factor` : scattering factors of neutral atoms
    `cross_section` : of an atom, elastic and inelastic
    `species` : what an atom of each kind adds, compressed into a few radial functions
    `radial_basis` : interpolation in a width, few functions for many
    `gaussian_basis` : Gaussians of many widths in a few radial functions

Potential
    `potential` : projected slices, through deltas in Fourier space
    `atom_slices` : slices that are made from atoms whenever they are asked for
    `render` : the potential in three dimensions, and a slow sum of Gaussians
    `soft_potential` : potential and absorption, no sharper than voxels resolve
    `solvent` : mean potential and absorption of ice, and what atoms displace of it
    `structure_factor` : of amorphous solids
    `random_field` : white noise of a given spectrum
    `structured_ice` : power spectrum of ice and of its image
    `carbon_film` : power spectrum of amorphous carbon
    `displaced_ice` : how much room atoms take in the ice

Particles and specimen
    `pose` : rotation vectors, Euler angles, tilts
    `particle_map` : complex map of a particle in solvent
    `phantom` : random particles without a structure behind them
    `projection` : projections of a template as central slices
    `slabs` : what one specimen slice sees of a particle
    `slice_grid` : the Fourier coefficients of a patch, and the patch made of them
    `patches` : small images summed into a large one
    `film` : hole in a support film, filled with ice

Multislice
    `slice_source` : where slices come from
    `multislice` : propagation, slice by slice
    `multislice_gradient` : its gradient with few waves kept
    `wave_buffers` : a wave on its way in place
    `inelastic` : angles and blurred intensity of inelastically scattered electrons
    `inelastic_multislice` : multislice with a channel for them

Lens
    `lens` : aberrations, aperture, phase plate
    `tilted_beam` : the same counted from the direction of a tilted beam
    `coherence` : what a spread of focus and of directions damps
    `illumination` : the same as sums over images of each focus and direction

Dose
    `dose` : expected electrons of every pixel
    `radiation_damage` : detail that fades with the exposure before an image

Poisson
    `poisson` : counting, and gradients through it
    `inverse_gaussian` : random numbers of that distribution

Detector
    `mtf` : families of modulation transfer functions
    `detector` : lost counts, gain, read noise

Denoising
    `whitening` : images whose noise is white
    `anscombe` : counts whose noise does not depend on their mean, and back
    `cosine` : the spectrum of an image that goes on in its mirror image
    `haar` : sums and differences of neighbouring counts
    `poisson_risk` : the error of an estimate from counts, without the truth
    `total_variation` : images near to counts that change along short edges only
    `wave_fit` : the image whose noisy copies are nearest to exposures
    `blank` : exposures of a field with nothing but background
    `error_features` : where an estimate is likely to be wrong
    `wiener` : the filter that an image's own spectrum gives
    `window_wiener` : the same in overlapping windows, for lattices
    `soft_mask` : a ball with a soft edge, and what a mask leaves of a volume
    `fourier_ring` : how far two images agree, ring by ring
    `fourier_shell` : the same of volumes, shell by shell
    `faded_rings` : the same for images that are not periodic
    `image_error` : how far an estimate is from the truth
    `focal_frequency` : the same, with the worst frequencies weighed most
    `published_error` : the same as two papers define it
    `exposure_parts` : what a method sees, and what it is judged by
    `unsupervised_error` : error without the truth, from copies with independent noise
    `half_agreement` : what two halves of the data say of a method
    `whiteness` : whether a residual is white noise
    `count_split` : one exposure as two with independent noise
    `ring_balance` : how much of a correction to believe at each frequency

Grids and tools
    `hann` : images that fade to their edges
    `grid` : coordinates, frequencies, the band limit
    `sampling` : how fine is fine enough
    `spread` : points onto a grid with a narrow kernel
    `resample` : an image on larger pixels, band-limited
    `box_average` : an image on other pixels
    `upsample` : finer samples of a cut-out image
    `ring_curve` : curves over the rings of a half grid
    `reorder` : rows in another order
    `threads` : portions of work in threads of one core each
"""
