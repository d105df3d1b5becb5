"""What the commands predict of their memory, beside what they take."""
