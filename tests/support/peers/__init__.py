"""The same calls through torch's writer, tensorboardX's and ours, and what TensorBoard reads."""
