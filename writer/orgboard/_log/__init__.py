"""From the training thread to the disk: queue, files, faults, forks. Nothing here knows a kind."""
