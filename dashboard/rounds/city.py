"""The city's round: open, late and repeated cases of the whole city, then every district."""

from __future__ import annotations

from dashboard.rounds._round import Round, Stop

ROUND = Round(
    id="city", title={"zh": "全市轮巡", "en": "Round of the city"}, order=10,
    stops=(
        Stop(dwell_s=45), Stop(dwell_s=30, view={"layer": "overdue"}), Stop(dwell_s=30, view={"layer": "on_time_rate", "measure": "on_time"}),
        Stop(dwell_s=20, each=True),
    ),
)
