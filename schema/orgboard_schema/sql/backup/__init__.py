"""One file that holds a whole board, taken while it is in use, given back on either engine.

    board.backup                a zip archive, each member one zstd stream
    ├── tables/team             all rows in the order of the key, as PostgreSQL's COPY BINARY:
    ├── tables/project          documented, exact, and the same bytes from SQLite
    ├── …
    ├── blobs                   the files of the blob directory, in the same framing
    └── manifest.json           release, and of each member: columns, rows, bytes, SHA-256

    rows      the framing                     layout    which tables and columns a release has
    streams   table ⇄ bytes, on each engine   archive   the file
    blobs     directory ⇄ bytes               take, give_back   a whole board

Whole numbers travel as 8 bytes, whatever their column's width, so the same board is the
same bytes from every engine: a restored board is proven equal by reading it once more.
The file is read in one snapshot. Offsets travel with the points, so that an ingest goes
on after a restore where the backup was taken.
"""
