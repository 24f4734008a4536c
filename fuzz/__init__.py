"""Fuzzing: readers of what others wrote, each fed with bytes that nobody would write."""
