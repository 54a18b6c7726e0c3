"""减负: what the work costs those who do it. Shown beside the index and never in it."""

from queries.index._dimension import Dimension, lacking, made

_FORMS = ("表单不经本系统填报", "forms are not filled in here")
DIMENSION = Dimension(
    id="burden", title={"zh": "减负", "en": "Burden"}, order=90, weight=0, basis="伴随指数，不计入总分",
    indicators=(
        lacking("BUR01", "人均月填报次数", "Submissions per worker-month", *_FORMS), lacking("BUR02", "重复字段占比", "Duplicate fields", *_FORMS),
        lacking("BUR03", "人均月填报工时", "Form hours per worker-month", *_FORMS),
        made("BUR04", "非工作时段派单占比", "Prompts off hours", "非工作时段非紧急派单与催办 ÷ 派单与催办", "Prompts off hours, not urgent ÷ prompts", 0.20, 0.00, "prompts_off", "prompts"),
        lacking("BUR05", "系统数", "Systems per worker", "须由各单位填报", "only the offices know"), lacking("BUR06", "无效任务占比", "Tasks with no outcome used", "尚无数据使用记录", "no record of who read what"),
    ),
)
