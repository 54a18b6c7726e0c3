"""Sensors: what they measure, how readings are kept and summed, and what they say now."""
