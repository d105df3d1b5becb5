"""An MTF from the noise of a flat field, in difftem."""

import difftem

estimate = difftem.estimate_mtf("flat.mrc", gain=1.0)
mtf, standard_error = estimate.curve, estimate.standard_error
