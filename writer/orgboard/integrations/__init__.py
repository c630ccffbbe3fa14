"""Loggers and callbacks for training frameworks, a module each, imported by who uses it.

A module imports its framework, and nothing else of the SDK imports a module here. Each opens a
run as a `SummaryWriter`, logs what its framework reports under that framework's own names, and
says at the end how the run went. An error in logging is a counted drop, never the training's.
"""
