"""减负: what the work costs those who do it. Shown beside the index and never in it."""

from queries.index._dimension import Dimension, fed, made

DIMENSION = Dimension(
    id="burden", title={"zh": "减负", "en": "Burden"}, order=90, weight=0, basis="伴随指数，不计入总分",
    indicators=(
        fed("BUR01", "人均月填报次数", "Submissions per worker-month", "填报次数 ÷（人员 × 月）", "Submissions ÷ (workers × months)", 120, 10, "ratio"),
        fed("BUR02", "重复字段占比", "Duplicate fields", "有效期内重复要求的字段 ÷ 要求的字段", "Fields asked again while still valid ÷ fields asked", 0.50, 0.05),
        fed("BUR03", "人均月填报工时", "Form hours per worker-month", "填表工时 ÷（人员 × 月）", "Hours over forms ÷ (workers × months)", 56, 4, "ratio"),
        made("BUR04", "非工作时段派单占比", "Prompts off hours", "非工作时段非紧急派单与催办 ÷ 派单与催办", "Prompts off hours, not urgent ÷ prompts", 0.20, 0.00, "prompts_off", "prompts"),
        fed("BUR05", "系统数", "Systems per worker", "人均须用的系统数", "Distinct systems that a worker must use", 14, 1, "value"),
        fed("BUR06", "无效任务占比", "Tasks with no outcome used", "九十天内无人查看数据的任务 ÷ 任务", "Tasks whose data nobody read in 90 days ÷ tasks", 0.60, 0.05),
    ),
)
