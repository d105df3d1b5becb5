"""Wall time, CPU time and memory of the simulator's stages beside abTEM's."""
