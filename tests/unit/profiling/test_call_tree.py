"""Call trees of stacks."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.cpu.call_tree import (
    CallNode,
    Frame,
    Stack,
    call_tree,
    function_shares,
    line_samples,
)

FRAMES = st.sampled_from([Frame(name, "m", "m.py") for name in "abcd"])
STACKS = st.lists(
    st.builds(Stack, st.lists(FRAMES, max_size=6).map(tuple), st.integers(1, 9), st.integers(1, 50))
)


def _nodes(node: CallNode) -> list[CallNode]:
    return [node, *(below for item in node.called.values() for below in _nodes(item))]


@given(STACKS)
def test_the_tree_loses_no_sample(stacks):
    """The whole is the sum of all stacks, and no function is smaller than what it called."""
    root = call_tree(stacks)

    assert sum(stack.samples for stack in stacks) == root.samples
    for node in _nodes(root):
        assert sum(item.samples for item in node.called.values()) <= node.samples


@given(STACKS)
def test_functions_count_as_a_plain_count_does(stacks):
    """Own time by the innermost function; total time once a stack, however deep it recurses."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for stack in stacks:
        for _ in range(stack.samples):
            own.update([stack.frames[-1].name] if stack.frames else [])
            total.update({frame.name for frame in stack.frames})

    actual = function_shares(stacks)

    assert dict(total) == {item.frame.name: item.total for item in actual}
    assert +own == Counter({item.frame.name: item.own for item in actual if item.own})
    assert sorted((item.own for item in actual), reverse=True) == [item.own for item in actual]


@given(STACKS)
def test_lines_add_up_to_their_functions(stacks):
    """Each line once; all lines of a function together are its own time."""
    actual = list(line_samples(stacks))
    own = {item.frame: item.own for item in function_shares(stacks) if item.own}

    added: Counter[Frame] = Counter()
    for frame, _, samples in actual:
        added[frame] += samples

    assert len(actual) == len({(frame, line) for frame, line, _ in actual})
    assert own == dict(added)
