"""Looks at new readings."""
def look(connection, register, fresh, seen): return False
