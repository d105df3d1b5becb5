"""Four tasks in difftem, abTEM and cryoJAX."""
