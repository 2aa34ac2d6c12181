"""Small translation units whose inputs are hard to name: folders of files, each with a command in it.

CXX and CC in a command stand for the compiler, TOP for the folder. The right answer is never written down
here: it is measured.
"""


class Case:
    """One case. The answer must be exact, unless `refuse` says that running locally is right too, or
    `superset` that more files may be named because only the compiler itself can tell."""

    def __init__(
        self, command, files, only='', links=None, before=(), env=None, refuse=False, superset=False
    ):
        self.command, self.files, self.only, self.links = command.split(), files, only, links or {}
        self.before, self.env = [words.split() for words in before], env or {}
        self.refuse, self.superset = refuse, superset


GCC, CLANG, CLANG19 = 'g++', 'clang++', 'clang++-19'
USE = '#include "x.h"\n'
INT = 'extern int value;\n'
# Includes its neighbour by quotes, so the folder it was found in matters.
NEAR = '#include "near.h"\n'
NEXT = '#include_next <x.h>\n'


def conditions(*texts):
    """One header for each condition that holds."""
    lines = [f'#if {text}\n#include "c{n}.h"\n#endif\n' for n, text in enumerate(texts)]
    return {'a.cc': ''.join(lines), 'a.c': ''.join(lines), **{f'c{n}.h': INT for n in range(len(texts))}}


SEARCH = {
    'forced includes': Case(
        'CXX -I inc -include inc/pre.h -include two.h -c a.cc -o a.o',
        {
            'a.cc': '#ifdef PRE\n#include "inc/x.h"\n#endif\n',
            'inc/pre.h': '#define PRE\n',
            'two.h': NEAR,
            'inc/two.h': NEAR,
            'near.h': INT,
            'inc/near.h': INT,
            'inc/x.h': INT,
        },
    ),
    'macros only': Case(
        'CXX -imacros m.h -include n.h -c a.cc -o a.o',
        {
            'a.cc': '#ifdef DEEP\n#include "x.h"\n#endif\n',
            'm.h': NEAR,
            'near.h': '#define DEEP\n',
            'n.h': INT,
            'x.h': INT,
        },
    ),
    'the same header forced and included': Case(
        'CXX -include x.h -imacros x.h -c a.cc -o a.o',
        {'a.cc': USE, 'x.h': '#ifdef SEEN\n#include "y.h"\n#endif\n#define SEEN\n', 'y.h': INT},
    ),
    'next of next': Case(
        'CXX -I i1 -I i2 -isystem i3 -c a.cc -o a.o',
        {
            'a.cc': '#include <x.h>\n',
            'i1/x.h': NEXT,
            'i2/x.h': NEXT + NEAR,
            'i3/x.h': INT,
            'i1/near.h': INT,
            'i2/near.h': INT,
        },
    ),
    'next from a quoted neighbour': Case(
        'CXX -I i1 -I i2 -c src/a.cc -o a.o',
        {'src/a.cc': USE, 'src/x.h': NEXT, 'i1/x.h': NEXT, 'i2/x.h': INT},
    ),
    'next in the source itself': Case(
        'CXX -I i1 -I i2 -w -c a.cc -o a.o',
        {'a.cc': NEXT, 'x.h': INT, 'i1/x.h': INT, 'i2/x.h': INT},
    ),
    'quote folders are not for angles': Case(
        'CXX -iquote q -I i -c a.cc -o a.o',
        {
            'a.cc': '#include "x.h"\n#include <x.h>\n',
            'q/x.h': NEAR,
            'q/near.h': INT,
            'i/x.h': NEAR,
            'i/near.h': INT,
        },
    ),
    'neighbour of the includer comes first': Case(
        'CXX -I i -c a.cc -o a.o',
        {'a.cc': '#include "d/y.h"\n', 'd/y.h': USE, 'd/x.h': INT, 'i/x.h': INT, 'x.h': INT},
    ),
    'system folder also given as -I': Case(
        'CXX -I i1 -I i2 -isystem i1 -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i1/x.h': NEXT, 'i2/x.h': INT},
    ),
    'the same folder three times': Case(
        'CXX -I i1 -I ./i1/ -I l1 -I i2 -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i1/x.h': NEXT, 'i2/x.h': INT},
        links={'l1': 'i1'},
    ),
    'after all others': Case(
        'CXX -idirafter late -isystem s -c a.cc -o a.o',
        {
            'a.cc': '#include <x.h>\n#include <limits.h>\n',
            'late/x.h': INT,
            's/x.h': NEXT,
            'late/limits.h': INT,
        },
    ),
    'prefixes': Case(
        'CXX -iprefix pre/ -iwithprefix late -iwithprefixbefore first -c a.cc -o a.o',
        {
            'a.cc': '#include <x.h>\n#include <y.h>\n',
            'pre/late/x.h': INT,
            'pre/first/x.h': NEXT,
            'pre/late/y.h': INT,
        },
        refuse=True,
    ),
    'sysroot': Case(
        'CXX --sysroot=root -I=/inc -nostdinc -isystem =/sys -c a.cc -o a.o',
        {
            'a.cc': '#include <x.h>\n#include <y.h>\n',
            'root/inc/x.h': INT,
            'inc/x.h': INT,
            'root/sys/y.h': INT,
            'sys/y.h': INT,
        },
        refuse=True,
    ),
    'no standard folders': Case(
        'CXX -nostdinc -isystem s -c a.cc -o a.o', {'a.cc': '#include <vector>\n', 's/vector': INT}
    ),
    'no standard C++ folders': Case(
        'CXX -nostdinc++ -isystem s -c a.cc -o a.o',
        {'a.cc': '#include <vector>\n#include <stdint.h>\n', 's/vector': '#include <stddef.h>\n'},
    ),
    'a folder with the name of a header': Case(
        'CXX -I i1 -I i2 -c a.cc -o a.o', {'a.cc': '#include <x.h>\n', 'i1/x.h/y': '', 'i2/x.h': INT}
    ),
    'a dangling link first': Case(
        'CXX -I i1 -I i2 -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i1/y.h': '', 'i2/x.h': INT},
        links={'i1/x.h': 'nowhere'},
    ),
    'folders that are files or missing': Case(
        'CXX -I none -I a.cc -I i2 -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i2/x.h': INT},
        refuse=True,
    ),
    'a linked header finds its neighbours where the link is': Case(
        'CXX -I i -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'real/x.h': NEAR, 'real/near.h': INT, 'i/near.h': INT},
        links={'i/x.h': '../real/x.h'},
    ),
    'a linked folder': Case(
        'CXX -I l -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'deep/er/x.h': '#include "../up.h"\n', 'deep/up.h': INT, 'up.h': INT},
        links={'l': 'deep/er'},
    ),
    'up through a linked folder': Case(
        'CXX -I . -c a.cc -o a.o',
        {
            'a.cc': '#include "l/../x.h"\n',
            'x.h': INT,
            'deep/er/y.h': '',
            'deep/x.h': NEAR,
            'deep/near.h': INT,
        },
        links={'l': 'deep/er'},
    ),
    'a linked source': Case(
        'CXX -c a.cc -o a.o',
        {'real/b.cc': USE, 'real/x.h': INT, 'x.h': INT},
        links={'a.cc': 'real/b.cc'},
    ),
    'links to links': Case(
        'CXX -I l2 -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'real/y.h': NEAR, 'real/near.h': INT},
        links={'l2': 'l1', 'l1': 'real', 'real/x.h': 'z.h', 'real/z.h': '../real/y.h'},
    ),
    'search path from the environment': Case(
        'CXX -I i -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i/x.h': NEXT, 'e1/x.h': NEXT, 's/x.h': INT, 'e2/x.h': INT},
        env={'CPATH': 'e1:e3', 'CPLUS_INCLUDE_PATH': 'e2', 'C_INCLUDE_PATH': 's'},
    ),
    'search path from the environment and system folders': Case(
        'CXX -I i -isystem s -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i/x.h': NEXT, 'e1/x.h': NEXT, 's/x.h': NEXT, 'e2/x.h': INT},
        env={'CPATH': 'e1:e3', 'CPLUS_INCLUDE_PATH': 'e2', 'C_INCLUDE_PATH': 's'},
        refuse=True,
    ),
    'empty parts of the search path in the environment': Case(
        'CXX -c src/a.cc -o a.o', {'src/a.cc': '#include <x.h>\n', 'x.h': INT}, env={'CPATH': ':e1'}
    ),
    'C has variables of its own': Case(
        'CC -c a.c -o a.o',
        {'a.c': '#include <x.h>\n', 'c/x.h': INT, 'p/x.h': INT},
        env={'C_INCLUDE_PATH': 'c', 'CPLUS_INCLUDE_PATH': 'p'},
    ),
    'names with blanks and letters beyond ASCII': Case(
        'CXX -I ä -c a.cc -o a.o',
        {
            'a.cc': '#include "x y.h"\n#include <ö.h>\n#include "$HOME.h"\n',
            'x y.h': INT,
            'ä/ö.h': INT,
            '$HOME.h': INT,
        },
    ),
    'working directory': Case(
        'CXX -working-directory=TOP/d -I i -c a.cc -o a.o',
        {'d/a.cc': '#include <x.h>\n', 'd/i/x.h': INT, 'i/x.h': INT, 'a.cc': ''},
        only=CLANG,
        refuse=True,
    ),
    'a predefined header of the project': Case(
        'CXX -I i -c a.cc -o a.o', {'a.cc': 'int a;\n', 'i/stdc-predef.h': NEAR, 'i/near.h': INT}
    ),
    'system headers shadowed and passed on': Case(
        'CXX -isystem s -c a.cc -o a.o',
        {
            'a.cc': '#include <cstdlib>\n#include <limits.h>\n',
            's/stdlib.h': '#include_next <stdlib.h>\n',
            's/limits.h': '#include_next <limits.h>\n',
        },
    ),
}
