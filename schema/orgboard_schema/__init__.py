"""Every shape that crosses a process: the event format, the tables, the block codec."""
