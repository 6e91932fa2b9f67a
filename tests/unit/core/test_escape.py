"""Text from elsewhere, made harmless."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from veperf.core.escape import as_html, as_markdown, make_visible, one_line


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@given(st.text())
def test_a_parser_sees_text_and_no_elements(text):
    """Whatever is escaped, an HTML parser finds the visible text and not one element."""
    parser = _Text()
    parser.feed(f"{as_html(text)}")
    parser.close()

    assert ([], make_visible(text)) == (parser.tags, parser.text)


def test_what_controls_is_spelt_out():
    """Controls, bidi overrides, zero widths and lone surrogates show as escapes; lines stay."""
    rendered = make_visible("a\x00b\u202ec\u200bd\ud800e\U000e0041\nf\tg")

    assert r"a\u0000b\u202ec\u200bd\ud800e\U000e0041" + "\nf\tg" == rendered


def test_terminal_sequences_are_dropped():
    """Colours, cursor movements, titles and links of a terminal leave only their text."""
    rendered = make_visible("\x1b[31mred\x1b[0m \x1b[2K\x1b]0;title\x07plain\x1b]8;;x\x1b\\link")

    assert "red plainlink" == rendered


def test_markdown_has_no_way_out_of_its_cell():
    """Pipes, line ends, code, links and HTML are text in a table's cell."""
    rendered = as_markdown("a|b\n`c` [d](e) <f> *g*")

    assert r"a\|b \`c\` \[d\](e) \<f\> \*g\*" == rendered


def test_one_line_keeps_the_narrow_blank():
    """Line ends become blanks; the blank between number and unit stays."""
    assert "31.2\u202fµs and more" == one_line(" 31.2\u202fµs\r\n and\tmore ")
