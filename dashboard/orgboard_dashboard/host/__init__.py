"""Administration from the host: `orgboard user`, `team`, `project`, `token`.

Who can open the database can do all of it anyway; so these act as the host itself, and the audit
log says so. Only what a command needs is imported, when it runs.
"""
