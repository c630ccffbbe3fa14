"""The one database: tables, engine, migrations, and how points go in and come out."""
