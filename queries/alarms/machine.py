"""How one rule stands with what it watches: deadband, on-delay and off-delay. Pure; knows no database.

Levels run 0 (none), 4 blue, 3 yellow, 2 orange, 1 red, as the emergency law numbers them; inside they are
turned into how severe they are (0 to 4), so that larger is worse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from queries.city.sensing import AlarmRule


@dataclass(frozen=True)
class Watch:
    """The state. `pending` = the level to which it is on its way since `since`; equal to `level` = none."""

    level: int = 0
    pending: int = 0
    since: int = 0
    at: int = 0

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing need be remembered."""
        return self.level == 0 and self.pending == 0


def severity(level: int) -> int:
    """Return how severe a level is: 0 none to 4 red."""
    return 0 if level == 0 else 5 - level


def level_of(severe: int) -> int:
    """Return the level of a severity."""
    return 0 if severe == 0 else 5 - severe


def step(rule: AlarmRule, watch: Watch, at: int, value: float) -> Watch:
    """Return the state after a value at a moment. What comes out of order changes nothing."""
    return move(rule, watch, at, severity(rule.level_of(value)), severity(rule.level_of(value, rule.deadband)))


def move(rule: AlarmRule, watch: Watch, at: int, reached: int, kept: int) -> Watch:
    """Return the state when the value reaches one severity, and with the deadband still keeps another (never less)."""
    if at <= watch.at:
        return watch
    now = severity(watch.level)
    target = reached if reached > now else now if kept >= now else kept
    watch = replace(watch, at=at)
    # Two moves at most: up to what was held for long enough, and from there a new wait begins.
    if target == now:
        return replace(watch, pending=watch.level, since=at)
    before = severity(watch.pending)
    same_way = before != now and (before > now) == (target > now)
    aimed = (min(before, target) if target > now else max(before, target)) if same_way else target
    since = watch.since if same_way else at
    if at - since < (rule.on_delay_s if aimed > now else rule.off_delay_s):
        return replace(watch, pending=level_of(aimed), since=since)
    done = replace(watch, level=level_of(aimed), pending=level_of(aimed), since=at)
    if target != aimed:
        further = rule.on_delay_s if target > aimed else rule.off_delay_s
        return replace(done, pending=level_of(target)) if further else replace(done, level=level_of(target), pending=level_of(target))
    return done
