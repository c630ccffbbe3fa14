"""Models under watch: their parameters by name, and when a backward pass has their gradients."""
