"""The files the IG team writes: their models, their faults by line, their schema and reference."""
