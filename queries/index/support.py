"""智慧支撑度: do cameras and sensors see, and does sensing spare people work?"""

from queries.index._dimension import Dimension, either, fed, made

DIMENSION = Dimension(
    id="support", title={"zh": "智慧支撑度", "en": "Smart support"}, order=40, weight=20, basis="五个维度等权：未见官方权重",
    indicators=(
        made("INT01", "摄像头完好率", "Cameras intact", "在线 ÷ 已安装（状态已知的）", "Online ÷ installed, of known state", 0.90, 0.98, "cameras.online", "cameras.known", basis="发改高技〔2015〕996号", basis_date="2015-05"),
        fed("INT02", "视频联网率", "Cameras networked", "已联网 ÷ 应联网", "Networked ÷ should be networked", 0.90, 1.00, basis="发改高技〔2015〕996号", basis_date="2015-05"),
        made("INT03", "感知设备在线率", "Sensors online", "三个上报周期内有数据的 ÷ 已安装的", "Data within three intervals ÷ installed", 0.80, 0.98, "sensors.online", "sensors.known"),
        either(made("INT04", "数据鲜活度", "Data freshness", "按各自周期更新的数据源 ÷ 有周期的数据源", "Sources updated within twice their own cycle ÷ sources that promise one", 0.70, 1.00,
                    "sources.fresh", "sources.known"), "至少三个约定了周期的数据源（只计全市）", "three sources at least that promise a cycle; of the whole city only", least=3),
        either(made("INT05", "智能发现占比", "Machine-found share", "传感与视频发现并已立案的 ÷ 来源已知的上报", "Found by sensor or camera and filed ÷ reports of known origin", 0.00, 0.40,
                    "cases.machine", "cases.found cases.called cases.public"), "渠道可辨来源的上报", "reports whose channel tells who found them"),
        either(made("INT06", "告警确认率", "Alert precision", "确认属实或已立案的 ÷ 已核的报警", "Real, or made a case ÷ alarms that were settled", 0.30, 0.90,
                    "alarms.confirmed", "alarms.reviewed"), "经人了结的报警", "alarms that somebody settled"),
        fed("INT07", "一次采集率", "Collect-once rate", "自动带出或复用的字段 ÷ 要求的字段", "Fields filled by themselves or used again ÷ fields asked", 0.30, 0.90),
        fed("INT08", "网格员配备率", "Grid staffing", "有在岗网格员的网格 ÷ 网格", "Grids with a worker on duty ÷ grids", 0.90, 1.00, basis="一格一员"),
    ),
)
