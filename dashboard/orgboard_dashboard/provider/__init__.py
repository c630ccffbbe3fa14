"""Sign-in by an organisation's own OpenID Connect provider. No SQL here.

settings   what the operator said           asking    one bounded question to the provider
book       what the provider says of itself, and its keys, kept for a while
id_token   what it says of a person, believed only after all of it was checked
flow       to the provider and back         reasons   why somebody was not signed in, in words
"""
