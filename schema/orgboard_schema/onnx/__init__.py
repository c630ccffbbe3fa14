"""ONNX models as graphs, read by hand: for the SDK, which logs them, and for the web pages, which
open them from people's disks.

Without numpy, the package onnx, or the numbers of the weights.
"""
