"""Call trees of stacks."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.cpu.stacks import (
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
    return [node, *(below for one in node.called.values() for below in _nodes(one))]


@given(STACKS)
def test_the_tree_loses_no_sample(stacks):
    """The whole is the sum of all stacks, and no function is smaller than what it called."""
    root = call_tree(stacks)

    assert sum(stack.samples for stack in stacks) == root.samples
    for node in _nodes(root):
        assert sum(one.samples for one in node.called.values()) <= node.samples


@given(STACKS)
def test_functions_count_as_a_plain_count_does(stacks):
    """Own time by the innermost function; total time once a stack, however deep it recurses."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for stack in stacks:
        for _ in range(stack.samples):
            own.update([stack.frames[-1].name] if stack.frames else [])
            total.update({frame.name for frame in stack.frames})

    found = function_shares(stacks)

    assert dict(total) == {one.frame.name: one.total for one in found}
    assert +own == Counter({one.frame.name: one.own for one in found if one.own})
    assert sorted((one.own for one in found), reverse=True) == [one.own for one in found]


@given(STACKS)
def test_lines_add_up_to_their_functions(stacks):
    """Each line once; all lines of a function together are its own time."""
    found = list(line_samples(stacks))
    own = {one.frame: one.own for one in function_shares(stacks) if one.own}

    added: Counter[Frame] = Counter()
    for frame, _, samples in found:
        added[frame] += samples

    assert len(found) == len({(frame, line) for frame, line, _ in found})
    assert own == dict(added)
