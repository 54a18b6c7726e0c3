"""智慧支撑度: do cameras and sensors see, and does sensing spare people work?"""

from queries.index._dimension import Dimension, lacking, made

DIMENSION = Dimension(
    id="support", title={"zh": "智慧支撑度", "en": "Smart support"}, order=40, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        made("INT01", "摄像头完好率", "Cameras intact", "在线 ÷ 已安装（状态已知的）", "Online ÷ installed, of known state", 0.90, 0.98, "cameras.online", "cameras.known", basis="发改高技〔2015〕996号"),
        lacking("INT02", "视频联网率", "Cameras networked", "应联网数未知", "how many should be networked is not known"),
        made("INT03", "感知设备在线率", "Sensors online", "三个上报周期内有数据的 ÷ 已安装的", "Data within three intervals ÷ installed", 0.80, 0.98, "sensors.online", "sensors.known"),
        lacking("INT04", "数据鲜活度", "Data freshness", "数据源不分区域", "sources do not belong to areas"),
        lacking("INT05", "智能发现占比", "Machine-found share", "汇总未分上报渠道", "sums are not kept by channel"),
        lacking("INT06", "告警确认率", "Alert precision", "尚无告警记录", "no alerts are recorded here"),
        lacking("INT07", "一次采集率", "Collect-once rate", "尚无字段登记", "no register of fields yet"),
        lacking("INT08", "网格员配备率", "Grid staffing", "值守表不分网格统计", "the duty list is not summed by grid"),
    ),
)
