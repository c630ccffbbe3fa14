"""SQL to people: queries scoped by a viewer, charts, pages and the API."""
