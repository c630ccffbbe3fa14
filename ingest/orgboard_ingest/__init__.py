"""Event files into SQL: discover, tail, decode, stage, commit, compact."""
