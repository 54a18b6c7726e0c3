"""Alarms as a control room has them: rules, their state, the list, and what people do about them."""
