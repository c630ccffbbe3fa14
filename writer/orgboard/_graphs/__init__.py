"""Computation graphs of any library as the GraphDef that TensorBoard draws."""
