"""What a user asks for, one verb a module: a function, and a result that can be shown and saved."""
