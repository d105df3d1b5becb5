"""Operations that choose between plain PyTorch and a Triton kernel."""
