#!/usr/bin/env python3
"""Style as a test: prints `path:line: what is wrong and what to do instead`, and exits 1 if there is
anything.

    scripts/tidy.py [TOP]

Each rule is a function from a tree (a dict of path to text) to problems, so that its own test can hand it
a small tree that breaks it. Only what no compiler and no formatter says is here.
"""

import ast
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / 'lib'))
import cpp_outline  # noqa: E402

MAX_FILE, MAX_FUNCTION, MAX_LINE, MAX_MEMBERS = 600, 70, 110, 15

# In include order: a module includes itself and those before it.
MODULES = ['base', 'wire', 'compiler', 'inputs', 'cache', 'remote', 'task', 'serve']
GOMACC_MAY = ['base', 'wire']

# Sources that have no unit test of their own, and why.
UNTESTED = {
    'proxy/main.cc': 'only builds the parts and hands them to each other; the end-to-end tests run it',
}

PROXY = r'^proxy/'
OURS = r'^(proxy|gomacc)/'
CPP = r'^(proxy|gomacc|tests)/.*\.(cc|h)$'
SAMPLES = r'^(?:scripts/tidy|tests/unit/scripts/tidy_test)\.py$'  # hold what is looked for
# (files, files excepted, pattern, what to use instead). The pattern is looked for outside comments and
# literals.
BANNED = [
    (CPP, '', r'(?<![\w.>])(?:std::)?system\(', 'system: use base::Spawner, which needs no shell'),
    (CPP, '', r'\bpopen\(', 'popen: use base::Spawner'),
    # A daemon forks once, at its very start, when it is small.
    (
        PROXY,
        r'^proxy/serve/detach\.cc$',
        r'(?<![\w.>])v?fork\(',
        'fork: a big process forks slowly; use base::Spawner (posix_spawn)',
    ),
    (CPP, '', r'\.detach\(\)', 'detach: nothing can wait for such a thread; keep it and join'),
    (
        PROXY,
        r'^proxy/base/thread\.',
        r'\bstd::j?thread\b(?!::)',
        'std::thread: use base::Thread (small stacks)',
    ),
    (CPP, '', r'\bv?sprintf\(', 'sprintf: use snprintf or std::to_chars'),
    (CPP, '', r'\b(?:strcpy|strcat|strtok|gets|stpcpy)\(', 'unbounded C string: use std::string_view'),
    (CPP, '', r'\b(?:atoi|atol|atoll|atof)\(', 'ato*: hides errors; use std::from_chars'),
    (CPP, '', r'\bstd::stou?(?:i|l|ll|f|d)\(', 'std::sto*: throws; use std::from_chars'),
    (CPP, '', r'\bstd::regex\b', 'std::regex: recursive over its input; write the few lines by hand'),
    (OURS, '', r'\bstd::filesystem\b', 'std::filesystem: throws, and cannot be faked; use base::Files'),
    (CPP, '', r'\busing namespace\b', 'using namespace: write the namespace'),
    (PROXY, r'^proxy/main\.cc$', r'\bstd::c(?:out|err|log)\b', 'iostream: use base/log.h'),
    (
        PROXY,
        r'^proxy/(?:main|base/log|serve/detach)\.cc$',
        r'(?<![\w.>])(?:std::)?f?printf\(',
        'printf: use base/log.h',
    ),
    (CPP, '', r'\bsleep_(?:for|until)\(|(?<![\w.>:])u?sleep\(', 'sleep: wait for the event, with a bound'),
    (OURS, '', r'(?<![\w.>])throw\b', 'throw: errors are values; return base::Result'),
    (
        CPP,
        '',
        r'#\s*include\s*<(?:format|ranges|source_location|regex|iostream)>',
        'this header: clang 14 lacks it, or it is slow to start or to run; see ARCHITECTURE.md',
    ),
    (
        PROXY,
        r'^proxy/(?:config|main)\.cc$',
        r'(?<![\w.>])(?:std::|secure_|::)?getenv\(',
        'getenv: only config.cc reads the environment',
    ),
    (
        PROXY,
        r'^proxy/(?:base/|serve/http)',  # deadlines of sockets are the kernel's time, not a test's
        r'\b(?:system_clock|steady_clock)::now\(|(?<![\w.>])time\((?:nullptr|NULL|0)\)',
        'the time: use base::Clock, which a test can turn',
    ),
    (r'\.(?:py|sh)$|^scripts/', SAMPLES, r'\b(?:pkill|killall)\b', 'kill by name: kill by process id'),
    (r'\.py$', SAMPLES, r'\bshell\s*=\s*True\b|\bos\.system\(', 'a shell: pass a list to subprocess'),
    (r'\.py$', SAMPLES, r'^\s*except\s*:', 'bare except: name the exception'),
]

# Leftovers and things that no file may hold; looked for in the whole text, comments included.
LEFTOVERS = [
    (
        r'\b(?:FIXME|TODO|XXX|HACK)\b',
        'leftover: do it, or say in whole sentences why it is so',
    ),
    (r'^<{7} |^>{7} |^={7}$', 'a merge conflict'),
    (r'doctest::skip|@unittest\.skip\b|#\s*if\s+0\b', 'switched off: mend or remove it'),
    (r'\bNOLINT(?!NEXTLINE)(?!\w*\([\w.-]+\): \w)', 'a silenced check without its name and reason'),
    (r'-----BEGIN [A-Z ]*PRIVATE KEY', 'a private key'),
    (r'\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{30,}|xox[bp]-[0-9A-Za-z-]{20,})\b', 'a credential'),
    (r'(?i)\b(?:password|secret_key|api_key)\s*[:=]\s*["\'][^"\'\s]{8,}["\']', 'a credential'),
    (r'(?<![\w.])/(?:work/(?:main|shared)|root/\.)|\.\./shared\b', 'a path of one machine'),
    (r'(?i)\b(?:issue|ticket) #?\d+\b', 'a ticket number: say the reason itself'),
]

TEXT_SUFFIXES = set('.cc .h .py .sh .ts .tsx .css .html .md .build .txt .proto .json .yml .S .s'.split()) | {
    ''
}
# The seeds of the fuzzers are bytes, whatever they look like.
SKIPPED_FOLDERS = {'.git', 'corpus', '.deps', 'node_modules', '__pycache__'}


def read_tree(top):
    """The files of the checkout, by path from its top; no build folders, downloads or binary files."""
    tree, pending = {}, [top]
    while pending:
        for path in sorted(pending.pop().iterdir()):
            name = path.name
            if path.is_symlink():
                continue
            if path.is_dir():
                if name not in SKIPPED_FOLDERS and not (name.startswith('build') and path.parent == top):
                    pending.append(path)
            elif path.suffix in TEXT_SUFFIXES and name != 'package-lock.json':
                try:
                    tree[str(path.relative_to(top))] = path.read_text(encoding='utf-8')
                except UnicodeDecodeError:
                    continue
    return tree


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def is_cpp(path):
    return path.endswith(('.cc', '.h'))


def is_code(path):
    return path.endswith(('.cc', '.h', '.py', '.sh', '.ts', '.tsx', '.build')) or (
        path.startswith(('scripts/', '.ci/')) and '.' not in Path(path).name
    )


def rank(path):
    """The place of a file in the include order, or None when the order says nothing of it."""
    match = re.match(r'(?:proxy|tests/unit)/(\w+)/', path)
    if match and match.group(1) in MODULES:
        return MODULES.index(match.group(1))
    return len(MODULES) if re.match(r'proxy/\w+\.(cc|h)$', path) else None


def include_order(tree):
    for path, text in tree.items():
        if not is_cpp(path):
            continue
        for match in re.finditer(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE):
            included, line = match.group(1), line_of(text, match.start())
            module = included.split('/')[0]
            if '..' in included.split('/'):
                yield path, line, 'include from the module folder, as "base/result.h"'
            elif path.startswith('gomacc/') and module in MODULES and module not in GOMACC_MAY:
                yield path, line, f'gomacc may include {" and ".join(GOMACC_MAY)} only, not {included}'
            elif rank(path) is not None and module in MODULES and MODULES.index(module) > rank(path):
                yield path, line, f'{included} comes later in the order {" < ".join(MODULES)} < main'
            elif (
                rank(path) is not None
                and rank(path) < len(MODULES)
                and rank(f'proxy/{included}') == len(MODULES)
            ):
                yield path, line, f'{included} belongs to main, which comes last'


def file_sizes(tree):
    for path, text in tree.items():
        if not is_code(path):
            continue
        lines = text.split('\n')
        if len(lines) - 1 > MAX_FILE:
            yield path, 1, f'{len(lines) - 1} lines, more than {MAX_FILE}: split it by idea'
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE:
                yield path, number, f'{len(line)} characters, more than {MAX_LINE}'


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def function_sizes(tree):
    for path, text in tree.items():
        found = []
        if is_cpp(path):
            found = [(f.name, f.line, f.lines) for f in cpp_outline.outline(text).functions]
        elif path.endswith('.py'):
            found = list(python_functions(text))
        for name, line, lines in found:
            if lines > MAX_FUNCTION:
                yield path, line, f'{name} has {lines} lines, more than {MAX_FUNCTION}'


def struct_sizes(tree):
    for path, text in tree.items():
        if is_cpp(path):
            for struct in cpp_outline.outline(text).structs:
                if len(struct.members) > MAX_MEMBERS:
                    yield (
                        path,
                        struct.line,
                        f'{struct.name} has {len(struct.members)} members, more than {MAX_MEMBERS}',
                    )


def banned_calls(tree):
    for path, text in tree.items():
        code = cpp_outline.blank(text) if is_cpp(path) else text
        for files, excepted, pattern, instead in BANNED:
            if re.search(files, path) and not (excepted and re.search(excepted, path)):
                for match in re.finditer(pattern, code, re.MULTILINE):
                    yield path, line_of(text, match.start()), instead


def leftovers(tree):
    for path, text in tree.items():
        for pattern, what in LEFTOVERS if not re.search(SAMPLES, path) else []:
            for match in re.finditer(pattern, text, re.MULTILINE):
                yield path, line_of(text, match.start()), f'{what}: {match.group(0).strip()[:40]}'


def whitespace(tree):
    for path, text in tree.items():
        if text and not text.endswith('\n'):
            yield path, text.count('\n') + 1, 'no newline at the end'
        if '\r' in text:
            yield path, line_of(text, text.index('\r')), 'a carriage return'
        if is_code(path):
            for match in re.finditer(r'[ \t]+$', text, re.MULTILINE):
                yield path, line_of(text, match.start()), 'blanks at the end of the line'
            if is_cpp(path) and '\t' in text:
                yield path, line_of(text, text.index('\t')), 'a tab: write \\t in a literal'


def header_prose(tree):
    for path, text in tree.items():
        if not path.endswith('.h') or not re.match(CPP, path):
            continue
        opening = re.match(r'(?://[^\n]*\n)+', text)
        words = re.findall(r'[A-Za-z]{2,}', opening.group(0)) if opening else []
        if len(words) < 5:
            yield (
                path,
                1,
                'begin with a comment: what this is, who may call it, what can go wrong',
            )
        if '#pragma once' not in text:
            yield path, 1, 'no #pragma once'


def untested_sources(tree):
    for path in tree:
        match = re.match(r'proxy/(?:(\w+)/)?(\w+)\.cc$', path)
        if not match or path in UNTESTED:
            continue
        module, name = match.groups()
        test = f'tests/unit/{module}/{name}_test.cc' if module else f'tests/unit/{name}_test.cc'
        if test not in tree:
            yield path, 1, f'no test: write {test}'
    for path in UNTESTED:
        if path not in tree:
            yield 'scripts/tidy.py', 1, f'UNTESTED names {path}, which does not exist'


def dead_files(tree):
    builds = {path: text for path, text in tree.items() if path.endswith('meson.build')}
    included = set()
    for path, text in tree.items():
        if is_cpp(path):
            for name in re.findall(r'#\s*include\s*"([^"]+)"', text):
                included |= {name, str(Path(path).parent / name)}
    for path in tree:
        if path.endswith('.cc') and re.match(CPP, path) and not path.startswith('tests/e2e/projects/'):
            folder, name = Path(path).parent, Path(path).name
            above = [folder, *folder.parents]
            if not any(
                _names(builds.get(_build(at), ''), str(Path(path).relative_to(at)), name) for at in above
            ):
                yield path, 1, 'dead: no meson.build names it'
        elif path.endswith('.h') and re.match(CPP, path):
            inner = re.sub(r'^(?:proxy|tests)/', '', path)
            if not {path, inner} & included:
                yield path, 1, 'dead: nothing includes it'


def _build(folder):
    return 'meson.build' if str(folder) == '.' else f'{folder}/meson.build'


def _names(build, relative, name):
    """Whether a build file names a source, as itself or as a stem that a loop completes ("@0@_test.cc")."""
    stem = name.rsplit('.', 1)[0]
    if f"'{relative}'" in build or f"'{name}'" in build:
        return True
    for template in re.findall(r"'([^']*)@0@([^']*)'", build):
        middle = relative[len(template[0]) : len(relative) - len(template[1])]
        if relative.startswith(template[0]) and relative.endswith(template[1]) and f"'{middle}'" in build:
            return True
    return bool(re.search(rf"'{re.escape(stem)}'", build)) and '@' in build


RULES = [
    include_order,
    file_sizes,
    function_sizes,
    struct_sizes,
    banned_calls,
    leftovers,
    whitespace,
    header_prose,
    untested_sources,
    dead_files,
]


def check(tree):
    return sorted({problem for rule in RULES for problem in rule(tree)})


def main(arguments):
    top = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    tree = read_tree(top)
    problems = check(tree)
    for path, line, what in problems:
        print(f'{path}:{line}: {what}')
    if problems:
        print(f'{len(problems)} problems in {len({path for path, _, _ in problems})} files', file=sys.stderr)
    else:
        print(f'{len(tree)} files, {len(RULES)} rules, no problem')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
