"""Ask and tell: Rung's own interface takes its place."""

from ..._missing import refusal

AskTellScheduler = refusal("AskTellScheduler", "use `study = rung.Study(...)`, `study.ask()` and `study.tell()`")
