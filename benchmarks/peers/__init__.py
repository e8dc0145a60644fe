"""The same work as others write it: programs to compare with, not parts of the pipeline."""
