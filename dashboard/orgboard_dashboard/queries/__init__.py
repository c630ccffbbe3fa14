"""The only place with SQL. Every query takes the viewer first, then a connection."""
