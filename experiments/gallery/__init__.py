"""Pictures of the site's gallery that no other experiment makes."""
