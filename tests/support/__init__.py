"""Real parts that tests stand on: a database server, a browser, the corpus, running programs."""
