"""Pages as a browser judges them: which script may run, and what is left without it."""

import re
from base64 import b64encode
from hashlib import sha256

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def without_own_script(page: str) -> str:
    """Return ``page`` without its one script, which its policy allows by its hash, and no other.

    Raises:
        AssertionError: the policy does not allow that script, or allows more.
    """
    policies, scripts = _POLICY.findall(page), _SCRIPT.findall(page)
    assert 1 == len(policies) == len(scripts)
    digest = b64encode(sha256(scripts[0].encode()).digest()).decode()
    directives = dict(part.split(None, 1) for part in policies[0].split("; "))
    assert "'none'" == directives["default-src"]
    assert f"'sha256-{digest}'" == directives["script-src"]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", scripts[0]
    )
    assert not re.search(
        r"fetch\(|XMLHttpRequest|WebSocket|import\(|https?://(?!www\.w3\.org/2000/svg)", scripts[0]
    )
    return _SCRIPT.sub("", page)
