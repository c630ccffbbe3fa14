"""Where a run took place: command, code, host, packages, devices. Gathered once a writer.

All of it runs on the background thread, never imports or initialises a framework, gives up in
seconds, and reads no environment variable but those that it names.
"""
