"""The parts of the drills, also used by the tests: homes to break, processes to kill, states to compare."""
