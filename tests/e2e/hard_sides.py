"""Hard cases for the inputs of a compile: files beside the headers, other languages, macros set by flags."""

from hard_inputs import CLANG, CLANG19, GCC, INT, USE, Case

SIDE = {
    'response files': Case(
        'CXX @args.rsp -c a.cc -o a.o',
        {
            'a.cc': '#include <x.h>\n#ifdef B\n#include "b c.h"\n#endif\n',
            'args.rsp': "-Ii '-DA=a b' @more.rsp",
            'more.rsp': '-DB=\\"\\ \\"\n-include "b c.h"\n',
            'i/x.h': INT,
            'b c.h': INT,
        },
    ),
    'sanitizer lists': Case(
        'CXX -fsanitize=address -fsanitize-ignorelist=list.txt -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'list.txt': 'fun:x\n'},
        only=CLANG,
    ),
    'sanitizer without a list': Case('CXX -fsanitize=address,undefined -c a.cc -o a.o', {'a.cc': 'int a;\n'}),
    'coverage and xray lists': Case(
        'CXX -fsanitize-coverage=trace-pc -fsanitize-coverage-allowlist=l1 -fxray-instrument '
        '-fxray-attr-list=l2 -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'l1': 'fun:*\n', 'l2': '[always]\nfun:x\n'},
        only=CLANG,
        refuse=True,
    ),
    'profile of samples': Case(
        'CXX -O2 -fprofile-sample-use=p.txt -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'p.txt': 'f:1:1\n 1: 1\n'},
        only=CLANG,
        refuse=True,
    ),
    'binary data': Case(
        'CXX -c a.cc -o a.o',
        {'a.cc': 'asm(".incbin \\"data.bin\\"");\n', 'data.bin': b'\1\2'},
        refuse=True,
    ),
    'binary data of an assembler source': Case(
        'CC -I i -c a.S -o a.o',
        {
            'a.S': '#include "x.h"\n.incbin "data.bin"\n.include "y.inc"\n',
            'x.h': '',
            'data.bin': b'\1',
            'i/y.inc': '',
        },
        refuse=True,
    ),
    'assembler source': Case(
        'CC -I i -DA=1 -c a.S -o a.o',
        {
            'a.S': '#if A\n#include <x.h>\n#endif\n# a comment\'s "quote\n nop\n',
            'i/x.h': '#ifdef __ASSEMBLER__\n#include "y.h"\n#endif\n',
            'i/y.h': '',
        },
    ),
    'assembler source, not preprocessed': Case(
        'CC -c a.s -o a.o', {'a.s': '#include "no.h"\n nop\n', 'no.h': ''}, refuse=True
    ),
    'preprocessed source': Case(
        'CXX -c a.ii -o a.o', {'a.ii': '# 1 "no.h"\nint a;\n', 'no.h': ''}, refuse=True
    ),
    'language given': Case(
        'CXX -x c -c a.txt -o a.o',
        {'a.txt': '#ifdef __cplusplus\n#include "no.h"\n#else\n' + USE + '#endif\n', 'no.h': '', 'x.h': INT},
    ),
    'Objective-C': Case(
        'CC -c a.m -o a.o',
        {
            'a.m': '#import "x.h"\n#import "x.h"\n#ifdef __OBJC__\n#include "y.h"\n#endif\n',
            'x.h': '@class X;\n',
            'y.h': INT,
        },
    ),
    'passed to the preprocessor': Case(
        'CXX -Wp,-include,x.h,-DA -Xpreprocessor -DB -Wp,-Ii -c a.cc -o a.o',
        {'a.cc': '#if defined A && defined B\n#include <y.h>\n#endif\n', 'x.h': INT, 'i/y.h': INT},
        refuse=True,
    ),
    'passed to the compiler proper': Case(
        'CXX -Xclang -include -Xclang x.h -Xclang -DA -c a.cc -o a.o',
        {'a.cc': '#ifdef A\n#include "y.h"\n#endif\n', 'x.h': INT, 'y.h': INT},
        only=CLANG,
        refuse=True,
    ),
    'precompiled by gcc': Case(
        'CXX -include x.h -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'x.h': '#include "y.h"\n', 'y.h': INT},
        only=GCC,
        before=['CXX -x c++-header x.h -o x.h.gch'],
        refuse=True,
        superset=True,
    ),
    'precompiled by gcc, not fitting': Case(
        'CXX -O2 -include x.h -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'x.h': '#include "y.h"\n', 'y.h': INT},
        only=GCC,
        before=['CXX -fno-exceptions -x c++-header x.h -o x.h.gch'],
        refuse=True,
        superset=True,
    ),
    'precompiled by clang': Case(
        'CXX -include-pch x.pch -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'x.h': '#include "y.h"\n', 'y.h': INT},
        only=CLANG,
        before=['CXX -x c++-header x.h -o x.pch'],
        refuse=True,
        superset=True,
    ),
    'remapped names': Case(
        'CXX -remap -I i -c a.cc -o a.o',
        {'a.cc': '#include <long_name.h>\n', 'i/header.gcc': 'long_name.h short.h\n', 'i/short.h': INT},
        only=GCC,
        refuse=True,
    ),
    'specs': Case(
        'CXX -specs=my.specs -c a.cc -o a.o',
        {'a.cc': 'int a;\n', 'my.specs': '*my:\n-DX\n\n'},
        only=GCC,
        refuse=True,
    ),
    'a configuration file of clang': Case(
        'CXX --config ./my.cfg -c a.cc -o a.o',
        {'a.cc': '#ifdef X\n#include "x.h"\n#endif\n', 'my.cfg': '-DX\n', 'x.h': INT},
        only=CLANG,
        refuse=True,
    ),
    'embedded data': Case(
        'CC -std=c23 -w -c a.c -o a.o',
        {
            'a.c': 'char a[] = {\n#embed "data.bin"\n};\n'
            '#if __has_embed("more.bin")\n#include "x.h"\n#endif\n',
            'data.bin': b'abc',
            'more.bin': b'abc',
            'x.h': INT,
        },
        only=CLANG19,
        refuse=True,
    ),
    'module map': Case(
        'CXX -fmodules -I i -c a.cc -o a.o',
        {'a.cc': '#include <x.h>\n', 'i/x.h': INT, 'i/module.modulemap': 'module X { header "x.h" }\n'},
        only=CLANG,
        refuse=True,
    ),
    'temporaries are kept': Case('CXX -save-temps -c a.cc -o a.o', {'a.cc': USE, 'x.h': INT}, refuse=True),
    'debugging information': Case(
        'CXX -g3 -gsplit-dwarf -c a.cc -o a.o', {'a.cc': USE, 'x.h': '#define M 1\n'}
    ),
}

# Macros by which headers choose, and flags that set them; a comma joins flags of one command.
MACROS = """
NDEBUG __OPTIMIZE__ __OPTIMIZE_SIZE__ __NO_INLINE__ __FAST_MATH__ __PIC__ __pic__ __PIE__ __EXCEPTIONS
__cpp_exceptions __GXX_RTTI __cpp_rtti _REENTRANT __STRICT_ANSI__ __CHAR_UNSIGNED__ _OPENMP __SSP__
__SSP_STRONG__
__SSP_ALL__ __SANITIZE_ADDRESS__ __SANITIZE_THREAD__ __AVX__ __AVX2__ __AVX512F__ __SSE4_2__
__CET__ __code_model_large__
__STDC_HOSTED__ __cpp_char8_t __cpp_coroutines __cpp_impl_coroutine __cpp_concepts __cpp_aligned_new
__cpp_sized_deallocation __DEPRECATED __GNUG__ _GNU_SOURCE __ELF__ linux __linux__ unix __FINITE_MATH_ONLY__
__cpp_threadsafe_static_init __SUPPORT_SNAN__ __NO_MATH_ERRNO__ __ROUNDING_MATH__ __tune_core2__
__k8 __skylake__
__GNUC_GNU_INLINE__ __GNUC_STDC_INLINE__ __BMI2__ __FMA__ __ILP32__ __LP64__ __x86_64__ __i386__ __cpp_modules
__GCC_HAVE_DWARF2_CFI_ASM __USER_LABEL_PREFIX__ __GXX_MERGED_TYPEINFO_NAMES __cpp_constexpr __STDCPP_THREADS__
__STDCPP_DEFAULT_NEW_ALIGNMENT__ __MMX__ __SSE__ __SOFTFP__ __NO_MATH_INLINES __GXX_ABI_VERSION __cpp_lib_x
__CHAR_BIT__ __STDC_IEC_559__ __GCC_IEC_559 __USE_GNU MINE OTHER _FORTIFY_SOURCE __clang__
__BLOCKS__ __INTEL__
""".split()
MACRO_FLAGS = """
-O0 -O1 -O2 -O3 -Os -Og -Ofast -DNDEBUG -ffast-math -fPIC -fpie -fpic -fno-exceptions -fno-rtti
-pthread -std=c++11
-std=c++14 -std=gnu++14 -std=c++17 -std=c++20 -std=gnu++20 -std=c++2b -ansi -funsigned-char
-fopenmp -fstack-protector
-fstack-protector-all -fstack-protector-strong -fsanitize=address -fsanitize=thread
-fsanitize=undefined -mavx -mavx2
-mavx512f -msse4.2 -mno-mmx -mno-sse -fcf-protection -mcmodel=large -ffreestanding -fchar8_t
-fno-char8_t -fcoroutines
-fconcepts -faligned-new -fno-sized-deallocation -undef -fno-builtin -fno-threadsafe-statics
-fsignaling-nans -fno-math-errno -frounding-math -mtune=core2 -march=k8 -march=skylake
-march=native -mbmi2 -mfma -m32
-mx32 -fno-asynchronous-unwind-tables -fno-inline -fabi-version=11 -DMINE=1 -UMINE -D_FORTIFY_SOURCE=2
-Xclang,-fblocks -fblocks -ffinite-math-only -flto -g -gdwarf-4 -fno-dwarf2-cfi-asm -Wall -pedantic
-ftrapv -fwrapv
-fshort-enums -fshort-wchar -fno-short-wchar -fms-extensions -fno-gnu-keywords -mno-red-zone
-fvisibility=hidden
-fno-asynchronous-unwind-tables,-fno-exceptions -fno-asynchronous-unwind-tables,-fno-exceptions,-g -g0
-fexperimental-library -Wno-deprecated -Werror=deprecated -Wno-deprecated,-Wdeprecated -fleading-underscore
-ftree-parallelize-loops=2 -fdelayed-template-parsing -fno-strict-aliasing -fno-plt
-fomit-frame-pointer -nostdinc -pipe
""".split()
