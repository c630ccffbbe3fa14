"""The compiled core, and how it is loaded. Everything works without it, ten times slower."""
