"""Settings of the classical denoisers, chosen where no comparison looks."""
