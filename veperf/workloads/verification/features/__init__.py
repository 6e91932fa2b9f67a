"""What is computed from the scopes of a verification: 768 numbers, the same on every machine."""

from veperf.workloads.verification.features.builder import FeatureBuilder, extract
from veperf.workloads.verification.features.fixed_point import (
    FRACTION_BITS,
    MAX_MAGNITUDE,
    FeatureError,
    feature_hash,
    fixed_point,
    input_hash,
)
from veperf.workloads.verification.features.layout import DOCUMENT, FACE, FEATURES, METADATA, OCR

__all__ = [
    "DOCUMENT",
    "FACE",
    "FEATURES",
    "FRACTION_BITS",
    "MAX_MAGNITUDE",
    "METADATA",
    "OCR",
    "FeatureBuilder",
    "FeatureError",
    "extract",
    "feature_hash",
    "fixed_point",
    "input_hash",
]
