"""Where what stands among the 768 features. All of them lie between -1 and 1; the rest are 0."""

FEATURES = 768
"""How many features there are, zeros at the end included."""
FACE = slice(0, 512)
"""The embedding of the face: of length 1, or 0 where there is no picture of one."""
DOCUMENT = slice(512, 517)
"""Sharpness, brightness, contrast, glare and completeness of the identity document."""
OCR = slice(517, 527)
"""Confidence and validity of each of five lines of the document, in turn."""
METADATA = slice(527, 543)
"""Scopes of each of nine types, then seven figures of all scopes together."""
