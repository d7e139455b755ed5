"""One program a file; case.py says what they hold."""
