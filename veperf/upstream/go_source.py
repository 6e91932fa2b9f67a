"""Go source: its tokens, its functions, and what they call; read without a Go toolchain.

Tokens are those of the Go specification, "Lexical elements": comments and white space are none, and
a newline is a semicolon where the specification puts one. So two functions have the same hash
exactly where the compiler sees the same text, however it is laid out and commented.

Types are resolved only where a local variable is made by a literal or by a function of the module.
Any other ``x.Method()`` is taken for a call of whichever method has that name, so that more may be
found than is called; never less of what is called by its name.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\f\v\ufeff]+)
  | (?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<newline>\n)
  | (?P<literal>"(?:[^"\\\n]|\\[^\n])*"?|`[^`]*`?|'(?:[^'\\\n]|\\[^\n])*'?)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
  | (?P<name>[^\W\d]\w*)
  | (?P<operator><<=|>>=|&\^=|\.\.\.|&&|\|\||<-|\+\+|--|==|!=|<=|>=|:=|<<|>>|&\^|[-+*/%&|^]=
      |[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS_STATEMENT = frozenset(
    {"break", "continue", "fallthrough", "return", "++", "--", ")", "]", "}"}
)
_KEYWORDS = frozenset(
    {
        "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough",
        "for", "func", "go", "goto", "if", "import", "interface", "map", "package", "range",
        "return", "select", "struct", "switch", "type", "var",
    }
)  # fmt: skip
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_HASH_DIGITS = 16


def go_tokens(text: str) -> list[str]:
    """Return the tokens of Go source, with the semicolons that newlines stand for.

    A text without an end goes to that of its line, a comment or raw text to that of the file, so
    that the time is linear in the length whatever is read.
    """
    tokens: list[str] = []
    kind_before = ""
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup or "", match[0]
        if kind == "comment" and "\n" in token:
            kind = "newline"
        if kind in ("space", "comment"):
            continue
        if kind == "newline":
            if tokens and _ends_statement(tokens[-1], kind_before):
                tokens.append(";")
                kind_before = ""
            continue
        if token in (")", "}") and tokens and tokens[-1] == ";":
            tokens.pop()  # it may be left out there
        tokens.append(token)
        kind_before = kind
    if tokens and _ends_statement(tokens[-1], kind_before):
        tokens.append(";")
    return tokens


def _ends_statement(token: str, kind: str) -> bool:
    if kind == "name":
        return token not in _KEYWORDS or token in _ENDS_STATEMENT
    return kind in ("literal", "number") or token in _ENDS_STATEMENT


@dataclass(frozen=True, slots=True)
class GoCall:
    """A call by name: ``name()``, or ``qualifier.name()``; a method's qualifier is any value."""

    name: str
    qualifier: str = ""
    is_selector: bool = False


@dataclass(frozen=True, slots=True)
class GoType:
    """A type by its name, with the name of the package that it is imported from."""

    name: str
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class GoResult:
    """A result of a function: ``setup()`` has that of index 0, and more."""

    function: str
    qualifier: str
    index: int


@dataclass(frozen=True)
class GoFunction:
    """A function or method, as it is declared."""

    name: str
    receiver: str
    """Type that it is a method of, without star and type parameters; empty of a function."""
    tokens: tuple[str, ...] = field(repr=False)
    """Everything after its name: parameters, results and body."""

    @property
    def key(self) -> str:
        """Its name in the package: ``New``, or ``Keeper.New`` of a method."""
        return f"{self.receiver}.{self.name}" if self.receiver else self.name

    @cached_property
    def digest(self) -> str:
        """Hash of all but its name: the first 16 digits of SHA-256 over its tokens."""
        text = "\0".join(self.tokens).encode("utf-8", "surrogatepass")
        return sha256(text).hexdigest()[:_HASH_DIGITS]

    @property
    def is_benchmark(self) -> bool:
        """Return whether go test takes it for one: ``BenchmarkName(b *testing.B)``."""
        rest = self.name.removeprefix("Benchmark")
        is_named = rest != self.name and not rest[:1].islower()
        has_parameter = self.tokens[2:6] == ("*", "testing", ".", "B") and self.tokens[6] == ")"
        return is_named and not self.receiver and has_parameter

    @cached_property
    def calls(self) -> frozenset[GoCall]:
        """The calls in its body; those through the value of its ``*testing.B`` are left out."""
        bench = self.tokens[1] if "testing" in self.tokens[:5] else ""
        calls = set()
        for at, token in enumerate(self.tokens):
            if not _is_name(token) or self.tokens[at + 1 : at + 2] != ("(",):
                continue
            if at == 0 or self.tokens[at - 1] != ".":
                calls.add(GoCall(token))
                continue
            before = self.tokens[at - 2] if at > 1 else ""
            is_plain = _is_name(before) and (at < 3 or self.tokens[at - 3] != ".")
            if is_plain and before == bench:
                continue
            calls.add(GoCall(token, before if is_plain else "", is_selector=True))
        return frozenset(calls)

    @cached_property
    def variables(self) -> Mapping[str, GoType | GoResult]:
        """The origins of the variables that are made by ``:=``, of a literal or a call.

        A name that is made in several ways is left out.
        """
        sources: dict[str, set[GoType | GoResult | None]] = defaultdict(set)
        for at, token in enumerate(self.tokens):
            if token == ":=":
                source = _source(self.tokens[at + 1 : at + 6])
                for index, name in enumerate(_assigned(self.tokens, at)):
                    if isinstance(source, GoResult):
                        source = GoResult(source.function, source.qualifier, index)
                    sources[name].add(source)
        return {
            name: source
            for name, (source, *others) in sources.items()
            if source is not None and not others
        }

    @cached_property
    def results(self) -> tuple[GoType | None, ...]:
        """The types of its results; None for those that have no name, such as slices."""
        parameters = _end(self.tokens, 0) if self.tokens[:1] == ("[",) else 0
        after = list(self.tokens[_end(self.tokens, parameters) :])
        if after[:1] != ["("]:
            kind = _type(after[: after.index("{")] if "{" in after else after)
            return (kind,)
        inner = after[1 : _end(after, 0) - 1]
        pieces: list[list[str]] = [[]]
        depth = 0
        for token in inner:
            depth += (token in _OPENING) - (token in _CLOSING)
            if token == "," and not depth:
                pieces.append([])
            else:
                pieces[-1].append(token)
        return tuple(_type(piece) for piece in pieces if piece)


def _end(tokens: Sequence[str], start: int) -> int:
    """Return the index after the bracket that closes the one at ``start``; 0 if there is none."""
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at] in _OPENING) - (tokens[at] in _CLOSING)
        if not depth:
            return at + 1 if at > start else 0
    return len(tokens)


def _type(tokens: Sequence[str]) -> GoType | None:
    """Return the type of a result, whether that has a name or not."""
    plain = [token for token in tokens if token != "*"]
    if len(plain) > 1 and _is_name(plain[0]) and plain[1] != ".":
        plain = plain[1:]  # the name of the result
    if len(plain) == 3 and plain[1] == ".":
        return GoType(plain[2], plain[0])
    return GoType(plain[0]) if len(plain) == 1 and _is_name(plain[0]) else None


def _assigned(tokens: Sequence[str], at: int) -> list[str]:
    """Return the names to the left of the ``:=`` at an index."""
    names: list[str] = []
    while at > 0 and _is_name(tokens[at - 1]):
        names.insert(0, tokens[at - 1])
        if at < 2 or tokens[at - 2] != ",":
            break
        at -= 2
    return names


def _source(tokens: Sequence[str]) -> GoType | GoResult | None:
    """Return the source of a value from what follows ``:=``."""
    plain = list(tokens)
    is_address = plain[:1] == ["&"]
    plain = plain[is_address:]
    if not plain or not _is_name(plain[0]):
        return None
    qualifier = plain[0] if plain[1:2] == ["."] else ""
    name, after = (plain[2], plain[3:4]) if qualifier and len(plain) > 2 else (plain[0], plain[1:2])
    if after == ["{"]:
        return GoType(name, qualifier)
    return GoResult(name, qualifier, 0) if after == ["("] and not is_address else None


def _is_name(token: str) -> bool:
    return (token[:1].isalpha() or token[:1] == "_") and token not in _KEYWORDS


@dataclass(frozen=True)
class GoFile:
    """A file: its package, its imports by the name that they have in it, and its functions."""

    package: str
    imports: Mapping[str, str]
    functions: tuple[GoFunction, ...]


def parse_go_file(text: str) -> GoFile:
    """Read the functions and imports that a Go file declares at its top level."""
    package = ""
    imports: dict[str, str] = {}
    functions: list[GoFunction] = []
    for words in _declarations(go_tokens(text)):
        match words[0]:
            case "package":
                package = words[1] if len(words) > 1 else ""
            case "import":
                imports |= dict(_imports(words[1:]))
            case "func":
                if (function := _function(words)) is not None:
                    functions.append(function)
    return GoFile(package, imports, tuple(functions))


def _declarations(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the declarations of a file, each without its semicolon."""
    depth = start = 0
    for at, token in enumerate(tokens):
        if token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth = max(0, depth - 1)
        elif token == ";" and not depth:
            if at > start:
                yield tokens[start:at]
            start = at + 1


def _imports(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    alias = ""
    for word in words:
        if word[:1] in ('"', "`"):
            path = word[1:-1]
            if alias not in ("_", "."):
                yield alias or _package_name(path), path
            alias = ""
        elif word not in ("(", ")", ";"):
            alias = word
    return


def _package_name(path: str) -> str:
    """Return the name that a package most likely has: the last part that is no version."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 1 and re.fullmatch(r"v[0-9]+", parts[-1]):
        parts.pop()
    return parts[-1] if parts else ""


def _function(words: Sequence[str]) -> GoFunction | None:
    receiver, at = "", 1
    if words[1:2] == ["("]:
        at = words.index(")", 1) + 1 if ")" in words else len(words)
        names = [w for w in words[2:at] if _is_name(w)]
        # `k Keeper`, `k *Keeper[T]`, `Keeper`: the type follows the name, if there is one.
        has_name = len(words) > 3 and _is_name(words[2]) and words[3] not in (")", "[", ".")
        receiver = names[1] if has_name and len(names) > 1 else (names[0] if names else "_")
    if at >= len(words) or not _is_name(words[at]):
        return None
    return GoFunction(words[at], receiver, tuple(words[at + 1 :]))


class PackageFunctions:
    """The functions of a folder's files; of a name with several files' build tags, all."""

    def __init__(self, files: Sequence[GoFile]) -> None:
        self.functions: dict[str, tuple[GoFunction, ...]] = {}
        self.methods: dict[str, list[str]] = defaultdict(list)
        """Keys of the methods of each name."""
        self._imports: dict[int, Mapping[str, str]] = {}
        for file in files:
            for function in file.functions:
                self.functions[function.key] = (*self.functions.get(function.key, ()), function)
                self._imports[id(function)] = file.imports
                if function.receiver and function.key not in self.methods[function.name]:
                    self.methods[function.name].append(function.key)

    def imports_of(self, function: GoFunction) -> Mapping[str, str]:
        """Return the imports of the file that declares ``function``, by name."""
        return self._imports.get(id(function), {})

    def digest(self, key: str) -> str:
        """Return the hash of the function ``key``; of several, of all of them in any order."""
        digests = sorted(function.digest for function in self.functions[key])
        if len(digests) == 1:
            return digests[0]
        return sha256("".join(digests).encode()).hexdigest()[:_HASH_DIGITS]
