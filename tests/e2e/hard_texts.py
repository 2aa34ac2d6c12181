"""Hard cases for the inputs of a compile: conditions, lines that are hard to read, headers read once."""

from hard_inputs import CLANG, INT, NEAR, USE, Case, conditions

ASKING = {
    'probes that hit': Case(
        'CXX -I i -c a.cc -o a.o',
        {
            **conditions(
                '__has_include("x.h")',
                '__has_include(<x.h>)',
                '__has_include( <y.h> )',
                '__has_include("i/y.h")',
            ),
            'x.h': '#error\n',
            'i/x.h': '#error\n',
            'i/y.h': '#error\n',
        },
    ),
    'probes that miss': Case(
        'CXX -I i -c a.cc -o a.o',
        {**conditions('__has_include("no.h")', '!__has_include(<no.h>)', '__has_include("i")'), 'i/x.h': ''},
    ),
    'a probe by macro': Case(
        'CXX -I i -DA=<x.h> -c a.cc -o a.o',
        {
            'a.cc': '#define B "y.h"\n#if __has_include(A)\nint a;\n'
            '#endif\n#if __has_include(B)\nint b;\n#endif\n',
            'i/x.h': '',
            'y.h': '',
        },
    ),
    'probes that are not needed': Case(
        'CXX -c a.cc -o a.o',
        {
            **conditions(
                '0 && __has_include("x.h")', '1 || __has_include("y.h")', '1 ? 1 : __has_include("z.h")'
            ),
            'x.h': '',
            'y.h': '',
            'z.h': '',
        },
        # gcc does not look for what cannot change the value; the file is named all the same.
        superset=True,
    ),
    'probes in groups that are skipped': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': '#if 1 - 1\n#if __has_include("x.h")\n#endif\n'
            '#elif 1\n#elif __has_include("y.h")\n#endif\n'
            '#ifdef NO\n#elif __has_include("z.h")\nint a;\n#endif\n',
            'x.h': '',
            'y.h': '',
            'z.h': '',
        },
    ),
    'a probe for the next one': Case(
        'CXX -I i1 -I i2 -c a.cc -o a.o',
        {
            'a.cc': '#include <x.h>\n',
            'i1/x.h': '#if __has_include_next(<x.h>)\nint a;\n#endif\n'
            '#if __has_include_next(<y.h>)\nint b;\n#endif\n',
            'i2/x.h': '',
            'i1/y.h': '',
        },
    ),
    'a probe inside of a macro': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#define HAS(h) __has_include(h)\n#if HAS("x.h")\n#include "y.h"\n#endif\n'
            '#if defined __has_include && defined(__has_include_next)\n#include "z.h"\n#endif\n',
            'x.h': '',
            'y.h': '',
            'z.h': '',
        },
        refuse=True,
    ),
    'computed names': Case(
        'CXX -I i -DGIVEN="given.h" -DANGLE=<i.h> -c a.cc -o a.o',
        {
            'a.cc': '#define A "x.h"\n#define B A\n#include B\n'
            '#define S(x) #x\n#define T(x) S(x.h)\n#include T(y)\n'
            '#define L <\n#define N z\n#include L N.h>\n'
            '#define C(a, b) a##b\n#include T(C(w, 1))\n#include ANGLE\n',
            'x.h': INT,
            'y.h': INT,
            'i/z.h': INT,
            'w1.h': INT,
            'i/i.h': INT,
        },
        refuse=True,
    ),
    'arithmetic': Case(
        'CXX -w -c a.cc -o a.o',
        conditions(
            '-1 > 0u',
            '(-1 >> 1) == -1',
            "'\\377' < 0",
            '0x7fffffffffffffff + 1 < 0',
            '1 ? 2 : (1 / 1)',
            '(2 || 1 / 0)',
            '~0ull == -1',
            "'ab' == 24930",
            'true',
            'not false and 1',
            "u8'a' == 97",
            '0b101 == 5',
            "1'000 == 1000",
            'undefined',
            '(1, 2) == 2 || 1',
            '-7 / 2 == -3',
            '-7 % 2 == -1',
        ),
    ),
    'arithmetic in C': Case(
        'CC -w -c a.c -o a.o',
        conditions('true', "'\\377' < 0", '1 ? -1 : 0u > 0', "L'\\xffff' > 0", '__LINE__ == 13'),
    ),
    'places and counters': Case(
        'CXX -c d/a.cc -o a.o',
        {
            'd/a.cc': '#if __INCLUDE_LEVEL__ == 0\n#include "x.h"\n#endif\n#line 100\n#if __LINE__ == 100\n'
            '#include "y.h"\n#endif\n#if __COUNTER__ == 0 && __COUNTER__ == 1\n#include "z.h"\n#endif\n',
            'd/x.h': '#if __INCLUDE_LEVEL__ == 1\n#include "w.h"\n#endif\n',
            'd/w.h': INT,
            'd/y.h': INT,
            'd/z.h': INT,
        },
        refuse=True,
    ),
    'the source includes itself': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': '#ifndef N\n#define N 1\n#include __FILE__\n'
            '#elif N == 1\n#undef N\n#define N 2\n#include "a.cc"\n'
            '#include "x.h"\n#endif\n',
            'x.h': INT,
        },
        refuse=True,
    ),
    'what the compiler can do': Case(
        'CXX -fno-exceptions -w -c a.cc -o a.o',
        conditions(
            '__has_builtin(__builtin_expect)',
            '__has_builtin(__no_such)',
            '__has_cpp_attribute(nodiscard)',
            '__has_cpp_attribute(nodiscard) > 201800',
            '__has_attribute(packed)',
            'defined __has_feature',
            '__has_cpp_attribute(gnu::noinline)',
            '__has_cpp_attribute(clang::x)',
        ),
    ),
    'features of clang': Case(
        'CXX -fno-rtti -fsanitize=address -c a.cc -o a.o',
        conditions(
            '__has_feature(cxx_rtti)',
            '__has_feature(address_sanitizer)',
            '__has_feature(cxx_exceptions)',
            '__has_extension(cxx_lambdas)',
            '__has_warning("-Wall")',
            '__is_identifier(int)',
            '__is_identifier(wombat)',
            '__has_declspec_attribute(dllexport)',
        ),
        only=CLANG,
        refuse=True,
    ),
    'else if defined': Case(
        'CXX -std=c++17 -w -c a.cc -o a.o',
        {
            'a.cc': '#ifdef NO\n#elifdef __cplusplus\n#include "x.h"\n#elifndef NO\n#include "y.h"\n#else\n'
            '#include "z.h"\n#endif\n',
            'x.h': INT,
            'y.h': INT,
            'z.h': INT,
        },
    ),
    'else if defined, new': Case(
        'CXX -std=c++2b -w -c a.cc -o a.o',
        {
            'a.cc': '#ifdef NO\n#elifdef __cplusplus\n#include "x.h"\n#elifndef NO\n#include "y.h"\n#else\n'
            '#include "z.h"\n#endif\n',
            'x.h': INT,
            'y.h': INT,
            'z.h': INT,
        },
    ),
    'macros pushed and popped': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': '#define M 1\n#pragma push_macro("M")\n#undef M\n'
            '#define M 2\n_Pragma("push_macro(\\"M\\")")\n'
            '#pragma pop_macro("M")\n#if M == 1\n#include "x.h"\n#else\n#include "y.h"\n#endif\n'
            '#pragma pop_macro("M")\n#if M == 1\n#include "z.h"\n#endif\n',
            'x.h': INT,
            'y.h': INT,
            'z.h': INT,
        },
        refuse=True,
    ),
    'expansion': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#define E(...) __VA_OPT__(1 +) 1\n#define f(x) x + f\n'
            '#define g f(1)(2)\n#define O (\n#define C2 )\n'
            '#define P(a, b, ...) a##b\n#define CALL(m, ...) m(__VA_ARGS__)\n'
            '#define h(x) 7\n'
            '#if E(a) == 2 && E() == 1\n#include "x.h"\n#endif\n'
            '#if CALL(P, 1, 2, 3) == 12 && P(,5) == 5\n#include "y.h"\n#endif\n'
            '#if h (1) == 7 && CALL(h, (a, b)) == 7\n#include "z.h"\n#endif\n',
            'x.h': INT,
            'y.h': INT,
            'z.h': INT,
        },
        refuse=True,
    ),
}

LEXING = {
    'directives in disguise': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '/**/ # /* x */ include /**/ "x.h" // end\n'
            '%:include "y.h"\n#inc\\\nlude "z\\\n.h"\n# \n#\f include '
            '"w.h"\n/* open\n#include "no.h"\n*/ #include "v.h"\n',
            'x.h': INT,
            'y.h': INT,
            'z.h': INT,
            'w.h': INT,
            'v.h': INT,
            'no.h': INT,
        },
        refuse=True,
    ),
    'strings that look like directives': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': 'const char* r = R"x(\n#include "no.h"\n)" \n'
            ')x";\nconst char* s = "\\\n#include \\"no.h\\"";\n'
            'char c = \'"\'; // \\\n#include "no.h"\n#include "x.h"\nint n = 1\'000\'0;\n#include "y.h"\n',
            'x.h': INT,
            'y.h': INT,
            'no.h': '#error\n',
        },
    ),
    'trigraphs': Case(
        'CXX -std=c++11 -w -c a.cc -o a.o',
        {
            'a.cc': '??=include "x.h"\n// ??/\n#include "no.h"\n#include "y.h"\n',
            'x.h': INT,
            'y.h': INT,
            'no.h': INT,
        },
        refuse=True,
    ),
    'no trigraphs': Case(
        'CXX -std=gnu++17 -w -c a.cc -o a.o', {'a.cc': '// ??/\n#include "x.h"\n', 'x.h': INT}, refuse=True
    ),
    'old C has no line comments': Case(
        'CC -std=c89 -w -c a.c -o a.o',
        {'a.c': 'int a = 4 //* */ 2\n;\n#include "x.h"\n', 'x.h': INT},
        refuse=True,
    ),
    'line ends of other systems': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': '#include "x.h"\r\n#define A \\\r\n 1\r\n#if A\r\n#include "y.h"\r\n#endif',
            'x.h': '#pragma once\r\n',
            'y.h': b'\xef\xbb\xbfint y;',
        },
    ),
    'guards of all forms': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': ''.join(f'#include "g{n}.h"\n' * 2 for n in range(5))
            + '#undef G0\n#define AGAIN\n#include "g0.h"\n',
            'g0.h': '#ifndef G0\n#define G0\n#ifdef AGAIN\n#include "again.h"\n#endif\n#endif\n',
            'g1.h': '#if !defined(G1)\n#define G1\n#endif\n#ifdef LAST1\n'
            '#include "l1.h"\n#endif\n#define LAST1\n',
            'g2.h': '#ifndef G2\n#define G2\n#else\n#include "l2.h"\n#endif\n',
            'g3.h': '#ifdef G3\n#include "l3.h"\n#endif\n#define G3\n',
            'g4.h': 'extern int g4;\n#ifndef G4\n#define G4\n#else\n#include "l4.h"\n#endif\n',
            **{f'{name}.h': INT for name in ('again', 'l1', 'l2', 'l3', 'l4')},
        },
    ),
    'deep': Case(
        'CXX -c a.cc -o a.o',
        {
            'a.cc': '#include "h0.h"\n',
            **{f'h{n}.h': f'#include "h{n + 1}.h"\n' for n in range(150)},
            'h150.h': INT,
        },
    ),
}

ONCE = {
    'copies with equal times': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#include "x.h"\n#include "d/x.h"\n',
            'x.h': '#pragma once\n' + NEAR,
            'd/x.h': '#pragma once\n' + NEAR,
            'near.h': '#define SEEN\n',
            'd/near.h': '#pragma once\n',
        },
        before=['touch -d 2020-01-01 x.h d/x.h'],
        refuse=True,
    ),
    'copies with other times': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#include "x.h"\n#include "d/x.h"\n',
            'x.h': '#pragma once\n' + NEAR,
            'd/x.h': '#pragma once\n' + NEAR,
            'near.h': INT,
            'd/near.h': '#pragma once\n',
        },
        before=['touch -d 2020-01-01 x.h', 'touch -d 2021-01-01 d/x.h'],
        refuse=True,
    ),
    'one file by two names': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#include "x.h"\n#include "d/y.h"\n#include "d/../x.h"\n',
            'x.h': '#pragma once\n' + NEAR,
            'near.h': INT,
            'd/near.h': INT,
        },
        links={'d/y.h': '../x.h'},
        refuse=True,
    ),
    'hard links': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#include "x.h"\n#include "d/y.h"\n',
            'x.h': '#pragma once\n' + NEAR,
            'near.h': INT,
            'd/near.h': INT,
        },
        before=['ln x.h d/y.h'],
        refuse=True,
    ),
    'once by operator': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': USE + USE + '#include "y.h"\n#include "y.h"\n',
            'x.h': '_Pragma("once")\n#ifdef X\n#include "z.h"\n#endif\n#define X\n',
            'y.h': '#define O _Pragma("once")\nO\n#ifdef Y\n#include "w.h"\n#endif\n#define Y\n',
            'z.h': INT,
            'w.h': INT,
        },
        refuse=True,
    ),
    'import': Case(
        'CXX -w -c a.cc -o a.o',
        {
            'a.cc': '#import "x.h"\n#import "x.h"\n#include "x.h"\n#include "y.h"\n#import "y.h"\n',
            'x.h': '#ifdef X\n#include "z.h"\n#endif\n#define X\n',
            'y.h': '#ifdef Y\n#include "w.h"\n#endif\n#define Y\n',
            'z.h': INT,
            'w.h': INT,
        },
        refuse=True,
    ),
    'system header pragma and dependency': Case(
        'CXX -w -c a.cc -o a.o',
        {'a.cc': USE, 'x.h': '#pragma GCC system_header\n#pragma GCC dependency "y.h"\n', 'y.h': ''},
        refuse=True,
    ),
}
