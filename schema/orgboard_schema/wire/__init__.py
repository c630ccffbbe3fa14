"""The event file format: what is on the wire, and the one reader of it. Knows no database."""
