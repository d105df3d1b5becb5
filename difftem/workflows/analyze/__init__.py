"""`difftem.analyze`: which columns an image shows, and which of them are real."""
