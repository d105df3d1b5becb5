"""How all kernels are compiled."""

# Products and sums in one rounding, whatever Triton's own default is (it changes with 3.10).
FUSED = {"enable_fp_fusion": True}
