"""The operator domain of QONNX, under its present and its earlier names."""

DOMAIN = "qonnx.custom_op.general"
DOMAINS = (DOMAIN, "finn.custom_op.general", "onnx.brevitas")
CHANNELS_LAST = "qonnx.custom_op.channels_last"
