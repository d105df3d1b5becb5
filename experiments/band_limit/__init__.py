"""What the band limits of potential and transmission function cost in accuracy."""
