"""Bytes: protobuf by hand, and events as records of a file."""
