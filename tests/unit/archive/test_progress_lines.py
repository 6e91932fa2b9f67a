"""Signs of life while many runs are read: a line whenever so many more are done."""

from veperf.archive.missing_runs import progress_lines


def test_a_line_is_shown_whatever_the_steps_are() -> None:
    """Packs of 270 runs never end at a round number; nothing is said of a small archive."""
    shown: list[str] = []
    progress = progress_lines(shown.append, "read", 1_000)

    for done in range(270, 2_430, 270):
        progress(done, 2_430)
    progress_lines(shown.append, "judged", 100)(60, 60)

    assert ["read 1,080 of 2,430 runs", "read 2,160 of 2,430 runs"] == shown
