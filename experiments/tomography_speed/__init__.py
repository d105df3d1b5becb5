"""Time, memory and error of SIRT and weighted back-projection."""
