"""What wraps around into a micrograph, by how far the field is padded."""
