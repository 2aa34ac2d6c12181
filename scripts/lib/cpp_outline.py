"""What tidy needs to know of a C++ file: its text without comments and literals, its functions, its
structs.

This is no parser. It follows braces over code from which comments and literals have been blanked out, and
tells from the text before a brace whether a function, a type or a namespace begins. That is exact enough
for code that clang-format has laid out, and a wrong guess costs a wrong length, never a crash.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'",
    re.DOTALL,
)


def blank(text):
    """The text with comments and the insides of literals as spaces; lines and columns stay as they were."""

    def spaces(match):
        found = match.group(0)
        if found.startswith(('/', 'R"')):
            return re.sub(r'[^\n]', ' ', found)
        return found[0] + re.sub(r'[^\n]', ' ', found[1:-1]) + found[-1]

    return _TOKEN.sub(spaces, text)


@dataclass
class Function:
    name: str
    line: int
    lines: int


@dataclass
class Struct:
    name: str
    line: int
    members: list = field(default_factory=list)


@dataclass
class Outline:
    functions: list = field(default_factory=list)
    structs: list = field(default_factory=list)


_TYPE = re.compile(
    r'(?:^|[\s>])(struct|class|union)\s+(?:alignas\s*\([^)]*\)\s*)?(?:\[\[[^\]]*\]\]\s*)?'
    r'(?:[A-Z_]+\([^)]*\)\s*)?([A-Za-z_][\w:]*)[^()=;]*$'
)
_SCOPE = re.compile(r'(?:^|\s)(?:inline\s+)?namespace\b|(?:^|\s)extern\s*"')
_ACCESS = re.compile(r'\b(?:public|private|protected)\s*:(?!:)')


def _kind(head):
    """What begins at a brace that follows `head` (the text since the last `;`, `{` or `}` at this level)."""
    raw = head
    head = re.sub(r'^\s*#.*$', '', head, flags=re.MULTILINE)
    head = _ACCESS.sub('', head).strip()
    if _SCOPE.search(head):
        return 'scope', ''
    if re.search(r'(?:^|\s)enum\b', head):
        return 'enum', ''
    match = _TYPE.search(re.sub(r'template\s*<[^;{}]*?>(?=\s*(?:struct|class|union))', '', head))
    if match and '(' not in head[head.find(match.group(1)) :].split(':')[0]:
        return 'type', match.group(2)
    if re.search(r'\)\s*:(?!:)', head) and re.search(r'[\w>]$', raw):
        return 'block', ''  # a member's initialiser in a constructor's list
    if ')' in head and not re.search(r'=\s*$', head):
        name = re.search(r'([~\w:]+|operator[^(]*)\s*\(', head)
        return 'function', name.group(1).strip() if name else '?'
    return 'block', ''


def outline(text):
    """The functions and structs of a file. Nested functions and lambdas count as part of what holds them."""
    code = blank(text)
    result = Outline()
    stack = []  # (kind, line, name, Struct or None, where the head began)
    head_start, line, inside = 0, 1, 0
    for at, char in enumerate(code):
        if char == '\n':
            line += 1
        elif char == '{':
            kind, name = ('block', '') if inside else _kind(code[head_start:at])
            head = code[head_start:at]
            first = line - head.lstrip().count('\n')
            struct = Struct(name, first) if kind == 'type' else None
            if struct:
                result.structs.append(struct)
            stack.append((kind, first, name, struct, head_start))
            inside += kind in ('function', 'enum') or bool(inside)
            head_start = at + 1
        elif char == '}' and stack:
            kind, first, name, _, began = stack.pop()
            if inside:
                inside -= 1
            if kind == 'function' and not inside:
                result.functions.append(Function(name, first, line - first + 1))
            # A brace that belongs to a declaration (an initialiser, a member's default) leaves its head open.
            head_start = began if kind == 'block' else at + 1
        elif char == ';' and not inside:
            if stack and stack[-1][3] is not None:
                stack[-1][3].members += _members(code[head_start:at])
            head_start = at + 1
    return result


def _members(declaration):
    """The names of the data members that one declaration of a class body adds; none for anything else."""
    text = _ACCESS.sub(' ', declaration)
    text = re.sub(r'^\s*#.*$', '', text, flags=re.MULTILINE)
    while re.search(r'\{[^{}]*\}', text):
        text = re.sub(r'\{[^{}]*\}', ' ', text)
    text = re.sub(r'\b[A-Z_]{4,}\([^()]*\)', ' ', text)  # thread annotations
    while re.search(r'<[^<>]*>', text):
        text = re.sub(r'<[^<>]*>', ' ', text)
    text = re.sub(r'\[[^\]]*\]', ' ', text)
    text = re.sub(r'\([^()]*\*\s*(\w+)\)\s*\([^()]*\)', r'\1', text)  # a pointer to a function
    while re.search(r'=[^,()]*\([^()]*\)', text):
        text = re.sub(r'(=[^,()]*)\([^()]*\)', r'\1', text)
    text = re.sub(r'=[^,]*', ' ', text).strip()
    if not text or 'operator' in text or '(' in text or ')' in text:
        return []
    if re.match(
        r'(?:using|typedef|friend|static|enum|struct\s+\w+$|class\s+\w+$|template|union\s+\w+$)\b', text
    ):
        return []
    names = [
        re.split(r'(?<!:):(?!:)', part)[0].split()[-1].strip('*&') for part in text.split(',') if part.split()
    ]
    return [name for name in names if re.match(r'[A-Za-z_]\w*$', name)] if len(text.split()) > 1 else []
