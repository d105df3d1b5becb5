"""What networks make of particles and imaging that their training left out."""
