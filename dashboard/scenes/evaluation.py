"""The evaluation page: does the loop work, where does time go, and what does it cost those who do the work?"""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="evaluation", title={"zh": "考核", "en": "Evaluation"}, order=15, slots=("strip", "top", "left", "middle", "right"))
