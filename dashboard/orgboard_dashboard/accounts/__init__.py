"""How people are known: names, passwords, secrets, how soon one may guess again. No SQL here."""
