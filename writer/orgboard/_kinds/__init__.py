"""From a plain value to the body of an event: one module a kind, pure functions."""
