"""`difftem.render`: pictures and movies of volumes."""
