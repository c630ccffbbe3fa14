"""Graphs in files from people's disks: each becomes what runs log, or is refused in words.

    bytes ─▶ reading: what is it? ─▶ binary · text · onnx ─▶ a GraphDef without its numbers
                                  └▶ a Keras model's JSON, as it is

What a run logged is shown as far as it goes, since there is no other of it. A file that somebody
opens is taken whole or not at all: who has it can be told what is wrong, and open another.
"""
