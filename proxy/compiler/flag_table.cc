#include "compiler/flag_table.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace compiler {
namespace {

constexpr std::uint8_t kBoth = kGcc | kClang;

// Several spellings with the same meaning, separated by blanks.
struct Row {
  std::string_view spellings;
  Attach attach;
  Does does;
  std::uint8_t bits;
  std::string_view detail = "";
};

// `detail` is the label of a refusal, the kind or suffix of an output, `off` for an option that undoes its
// group, `word` for a generic row whose value must be a plain word (else the option is unknown).
constexpr Row kRows[] = {
    // What to make of the source.
    {"-c --compile", Attach::none, Does::compile, kBoth | kPortable},
    {"-S --assemble", Attach::none, Does::assembly, kBoth | kPortable},
    {"-fsyntax-only", Attach::none, Does::syntax_only, kBoth | kPortable},
    {"-o", Attach::either, Does::output, kBoth | kPortable},
    {"-x", Attach::either, Does::language, kBoth | kPortable},
    {"--output= --output --language= --language --std --define-macro --undefine-macro --include- --imacros "
     "--for-assembler --write-dependencies --write-user-dependencies --prefix --optimize --debug --machine "
     "--assert --no-line --classpath --bootclasspath --encoding --extdirs --sysroot-",
     Attach::joined, Does::refuse, kBoth, "rare_spelling"},
    {"-E -M -MM -MG -### -v --version --help -dumpversion -dumpfullversion -dumpmachine -dumpspecs -C -CC -P "
     "-pass-exit-codes --preprocess --dependencies --user-dependencies --verbose --target-help",
     Attach::none, Does::refuse, kBoth, "not_a_compile"},
    {"-print- --print- --help= -d", Attach::joined, Does::refuse, kBoth, "not_a_compile"},
    {"-dumpbase -dumpdir -dumpbase-ext", Attach::separate, Does::refuse, kBoth, "dump_name"},
    {"-fdump-", Attach::joined, Does::refuse, kBoth, "dump"},
    // The preprocessor.
    {"-D", Attach::either, Does::define, kBoth | kPortable},
    {"-U", Attach::either, Does::undefine, kBoth | kPortable},
    {"-include", Attach::either, Does::include, kBoth | kPortable},
    {"-imacros", Attach::either, Does::imacros, kBoth | kPortable},
    {"-I-", Attach::none, Does::refuse, kBoth, "include_barrier"},
    {"-I", Attach::either, Does::angle_dir, kBoth | kPortable},
    {"-iquote", Attach::either, Does::quote_dir, kBoth | kPortable},
    {"-isystem", Attach::either, Does::system_dir, kBoth | kPortable},
    {"-idirafter", Attach::either, Does::after_dir, kBoth | kPortable},
    {"-F", Attach::either, Does::framework_dir, kClang},
    {"-iframework -isystem-after -cxx-isystem -c-isystem -objc-isystem -objcxx-isystem -iwithsysroot "
     "-iframeworkwithsysroot -ivfsoverlay -imultilib -imultiarch -stdlib++-isystem",
     Attach::either, Does::refuse, kBoth, "include_path"},
    {"-iprefix -iwithprefix", Attach::joined, Does::refuse, kBoth, "include_path"},
    {"-isysroot", Attach::either, Does::header_sysroot, kBoth | kDialect | kSelects},
    {"--sysroot=", Attach::joined, Does::sysroot, kBoth | kDialect | kSelects},
    {"--sysroot", Attach::separate, Does::sysroot, kBoth | kDialect | kSelects},
    {"--no-sysroot-suffix", Attach::none, Does::nothing, kGcc | kDialect | kSelects},
    {"-nostdinc -nostdinc++ -nostdlibinc -nobuiltininc -undef -ansi --ansi -trigraphs --trigraphs "
     "--no-standard-includes",
     Attach::none, Does::nothing, kBoth | kPortable | kDialect},
    {"-stdlib=", Attach::joined, Does::nothing, kClang | kPortable | kDialect},
    {"-A", Attach::either, Does::refuse, kBoth, "assertion"},
    {"-remap -traditional-cpp -traditional -fpreprocessed -fdirectives-only", Attach::none, Does::refuse,
     kBoth, "preprocessor_mode"},
    {"-finput-charset=", Attach::joined, Does::refuse, kBoth, "input_charset"},
    {"-fexec-charset= -fwide-exec-charset=", Attach::joined, Does::exec_charset, kBoth | kDialect},
    // Searches the folders of all that include a file, and those of a variable.
    {"-fms-compatibility", Attach::none, Does::refuse, kBoth | kNegatable, "ms_compatibility"},
    {"-MD", Attach::none, Does::dep_all, kBoth | kPortable},
    {"-MMD", Attach::none, Does::dep_user, kBoth | kPortable},
    {"-MP", Attach::none, Does::dep_phony, kBoth | kPortable},
    {"-MF", Attach::either, Does::dep_file, kBoth | kPortable},
    {"-MT", Attach::either, Does::dep_target, kBoth | kPortable},
    {"-MQ", Attach::either, Does::dep_quoted_target, kBoth | kPortable},
    {"-MV -Mno-modules -Mmodules", Attach::none, Does::refuse, kBoth, "depfile_form"},
    {"-MJ", Attach::either, Does::extra_output, kClang, "compilation_database"},
    {"-Wp,", Attach::joined, Does::for_preprocessor_list, kBoth | kPortable},
    {"-Xpreprocessor", Attach::separate, Does::for_preprocessor, kBoth | kPortable},
    {"-fmax-include-depth=", Attach::joined, Does::refuse, kGcc, "include_depth"},
    {"-ftabstop= -ftrack-macro-expansion= -fmacro-backtrace-limit= -ftemplate-backtrace-limit= "
     "-fconstexpr-backtrace-limit= -fspell-checking-limit= -fcaret-diagnostics-max-lines=",
     Attach::joined, Does::nothing, kBoth | kPortable},
    {"-fpch-preprocess -fpch-deps -fpch-instantiate-templates -fpch-codegen -fpch-debuginfo "
     "-fpch-validate-input-files-content",
     Attach::none, Does::refuse, kBoth, "pch"},
    {"-include-pch", Attach::separate, Does::refuse, kBoth, "include_pch"},
    // The language.
    {"-std= --std=", Attach::joined, Does::nothing, kBoth | kPortable | kDialect},
    {"-pedantic -pedantic-errors --pedantic --pedantic-errors", Attach::none, Does::nothing,
     kBoth | kPortable | kDialect},
    {"-w --no-warnings", Attach::none, Does::nothing, kBoth | kPortable},
    {"-Wdeprecated -Wno-deprecated -Werror=deprecated", Attach::none, Does::nothing,
     kBoth | kPortable | kDialect},
    {"-W", Attach::joined, Does::nothing, kBoth | kPortable},
    {"-Wl,", Attach::joined, Does::nothing, kBoth | kPortable},
    {"-fexceptions -frtti -fchar8_t -fcoroutines -fcoroutines-ts -fconcepts -fconcepts-ts "
     "-fsized-deallocation -fthreadsafe-statics -fsigned-char -funsigned-char -fshort-enums -fshort-wchar "
     "-fsigned-bitfields -funsigned-bitfields -fpermissive -ffreestanding -fhosted -fms-extensions "
     "-fgnu-keywords -fgnu89-inline -fimplicit-templates -fimplicit-inline-templates "
     "-foperator-names -faligned-new -faligned-allocation -fnew-inheriting-ctors -fenforce-eh-specs "
     "-fnonansi-builtins -felide-constructors -fdollars-in-identifiers -fextended-identifiers -fbuiltin "
     "-fblocks -fcxx-exceptions -fobjc-exceptions -fobjc-arc -fobjc-arc-exceptions -fobjc-weak "
     "-fobjc-nilcheck -fgnu-runtime -fnext-runtime -fdelayed-template-parsing "
     "-frelaxed-template-template-args -fdouble-square-bracket-attributes -fstrict-enums "
     "-fimplicit-constexpr -fasm -fopenmp -fopenmp-simd -fopenacc -fgnu-tm -fassume-sane-operator-new "
     "-fstrict-flex-arrays -fextern-tls-init -fexperimental-new-constant-interpreter -fexperimental-library "
     "-ftrigraphs -fdeclspec -fborland-extensions -fpascal-strings -fwritable-strings -fconst-strings "
     "-fgnu-inline-asm -fstrict-return -fno-builtin-",
     Attach::none, Does::nothing, kBoth | kPortable | kDialect | kNegatable},
    {"-faligned-new= -fconcepts-diagnostics-depth= -ftemplate-depth= -ftemplate-depth- -fconstexpr-depth= "
     "-fconstexpr-loop-limit= -fconstexpr-ops-limit= -fconstexpr-cache-depth= -fconstexpr-steps= "
     "-fabi-version= -fabi-compat-version= -fclang-abi-compat= -fmessage-length= -ferror-limit= "
     "-fmax-errors= -fbracket-depth= -fms-compatibility-version= -fstrict-flex-arrays= -fobjc-runtime= "
     "-fobjc-abi-version= -fopenmp-version= -fno-builtin- -fdiagnostics-show-location= -fdiagnostics-urls= "
     "-fdiagnostics-minimum-margin-width= -fdiagnostics-column-unit= -fdiagnostics-column-origin= "
     "-fdiagnostics-show-category=",
     Attach::joined, Does::nothing, kBoth | kPortable | kDialect},
    {"-fopenmp=", Attach::joined, Does::nothing, kBoth | kDialect},
    {"-fdiagnostics-format= -fdiagnostics-set-output= -fdiagnostics-add-output=", Attach::joined,
     Does::refuse, kBoth, "diagnostics_format"},
    {"-fmodules -fmodules-ts -fcxx-modules -fimplicit-modules -fimplicit-module-maps -fbuiltin-module-map "
     "-fmodule-only -fmodule-header -fmodules-decluse -fmodules-strict-decluse -fprebuilt-implicit-modules "
     "-fapinotes -fapinotes-modules --precompile --analyze -analyze -emit-ast -rewrite-objc "
     "-rewrite-legacy-objc -relocatable-pch -fmodule-output -fexperimental-modules-reduced-bmi -extract-api "
     "-emit-interface-stubs -verify-pch",
     Attach::none, Does::refuse, kBoth, "modules"},
    {"-fmodule- -fmodules- -fprebuilt-module-path= -fbuild-session- -fdeps- -emit-module -fapinotes-",
     Attach::joined, Does::refuse, kBoth, "modules"},
    {"-fno-modules -fno-modules-ts -fno-implicit-modules -fno-implicit-module-maps -fno-cxx-modules",
     Attach::none, Does::nothing, kBoth | kPortable | kDialect},
    // Code generation. None of these names a file or a folder.
    {"-O", Attach::joined, Does::nothing, kBoth | kPortable | kDialect, "word"},
    {"-fPIC -fpic -fPIE -fpie -ffast-math -fmath-errno -ffinite-math-only -fsigned-zeros -ftrapping-math "
     "-frounding-math -funsafe-math-optimizations -fassociative-math -freciprocal-math -fsignaling-nans "
     "-fcx-limited-range -fcx-fortran-rules -fsingle-precision-constant -fhonor-nans -fhonor-infinities "
     "-fapprox-func -fstack-protector -fstack-protector-all -fstack-protector-strong "
     "-fstack-protector-explicit -fcf-protection -fnon-call-exceptions -fasynchronous-unwind-tables "
     "-funwind-tables -fdwarf-exceptions -fsjlj-exceptions -fseh-exceptions -finline "
     "-fdwarf2-cfi-asm -fleading-underscore",
     Attach::none, Does::nothing, kBoth | kPortable | kDialect | kNegatable},
    {"-fcf-protection= -ffp-model= -ffp-exception-behavior= -fexcess-precision= -fdenormal-fp-math= "
     "-ffp-eval-method= -ftrapv-handler= -ftree-parallelize-loops=",
     Attach::joined, Does::nothing, kBoth | kPortable | kDialect},
    {"-fvisibility= -ffp-contract= -finline-limit= -ftls-model= -falign-functions= -falign-loops= "
     "-falign-jumps= -falign-labels= -fpack-struct= -ftrivial-auto-var-init= "
     "-ftrivial-auto-var-init-stop-after= -fzero-call-used-regs= -fpatchable-function-entry= "
     "-fstack-limit-register= -fira-algorithm= -fira-region= -fira-loop-pressure= -fvect-cost-model= "
     "-fsimd-cost-model= -finline-max-stacksize= -fdebug-default-version= "
     "-flive-patching= -fpermitted-flt-eval-methods= -fstack-reuse= -fstack-check= -fstrong-eval-order= "
     "-fivar-visibility= -fgcse-lm= -fpic- -ffixed- -fcall-saved- -fcall-used- -fvisibility-",
     Attach::joined, Does::nothing, kBoth | kPortable},
    {"-ffunction-sections -fdata-sections -funique-section-names -funique-basic-block-section-names "
     "-fstrict-aliasing -fwrapv -fwrapv-pointer -ftrapv -fstrict-overflow -fomit-frame-pointer "
     "-foptimize-sibling-calls -fcommon -fplt -fsemantic-interposition -finline-functions "
     "-finline-hint-functions -finline-small-functions -finline-functions-called-once -fearly-inlining "
     "-fkeep-inline-functions -fkeep-static-functions -fkeep-static-consts -fmerge-constants "
     "-fmerge-all-constants -fident -fipa-icf -fipa-ra -fipa-sra -fipa-cp -fipa-pta -fipa-cp-clone "
     "-ftree-vectorize -ftree-slp-vectorize -ftree-loop-vectorize -fvectorize -fslp-vectorize -funroll-loops "
     "-funroll-all-loops -fpeel-loops -fsplit-loops -funswitch-loops -fgcse -fgcse-after-reload "
     "-freorder-blocks -freorder-functions -freorder-blocks-and-partition -fdelete-null-pointer-checks "
     "-fisolate-erroneous-paths-dereference -fjump-tables -ftoplevel-reorder -funit-at-a-time -fcrossjumping "
     "-fcse-follow-jumps -fthread-jumps -fschedule-insns -fschedule-insns2 -frename-registers -fweb -fivopts "
     "-ftree-pre -ftree-vrp -ftree-dce -ftree-sra -fshrink-wrap -fsplit-stack -fstack-clash-protection "
     "-fstack-check -fallow-store-data-races -fconserve-stack -fvar-tracking -fvar-tracking-assignments "
     "-fuse-cxa-atexit -fuse-cxa-get-exception-ptr -fuse-init-array -fpack-struct -fzero-initialized-in-bss "
     "-faddrsig -femulated-tls -fdevirtualize -fdevirtualize-speculatively -flifetime-dse "
     "-fassume-unique-vtables -fcomplete-member-pointers -fdebug-types-section "
     "-feliminate-unused-debug-types -feliminate-unused-debug-symbols -femit-class-debug-always "
     "-fstandalone-debug -flimit-debug-info -fdebug-macro -fdebug-info-for-profiling "
     "-funique-internal-linkage-names -fforce-emit-vtables -fstrict-vtable-pointers "
     "-fsplit-lto-unit -ftree-loop-distribute-patterns -fpartial-inlining -ftracer -fcode-hoisting "
     "-ftree-ter -fcaller-saves -fharden-compares -fharden-conditional-branches -fstack-limit "
     "-fsplit-machine-functions -fconvergent-functions -fstack-size-section -fpseudo-probe-for-profiling "
     "-fmodulo-sched -fipa-vrp -fpcc-struct-return -freg-struct-return "
     "-fbasic-block-sections -fabi-compat -fpreserve-as-comments -fdebug-pass-structure "
     "-fregister-global-dtors-with-atexit -frelaxed-elf -fdirect-access-external-data",
     Attach::none, Does::nothing, kBoth | kPortable | kNegatable},
    {"-fdiagnostics-show-option -fdiagnostics-fixit-info -fdiagnostics-show-caret -fdiagnostics-show-labels "
     "-fdiagnostics-show-line-numbers -fdiagnostics-show-cwe -fdiagnostics-show-path-depths "
     "-fdiagnostics-show-template-tree -fdiagnostics-parseable-fixits -fdiagnostics-generate-patch "
     "-fdiagnostics-show-hotness -fdiagnostics-show-note-include-stack -fdiagnostics-print-source-range-info "
     "-fcaret-diagnostics -fshow-column -fshow-source-location -fshow-overloads -fspell-checking "
     "-felide-type -fpretty-templates -fshow-skipped-includes -fintegrated-cc1",
     Attach::none, Does::nothing, kBoth | kPortable | kNegatable},
    {"-fshow-overloads= -fdiagnostics-path-format= -fdiagnostics-hotness-threshold= "
     "-fdiagnostics-misexpect-tolerance=",
     Attach::joined, Does::nothing, kBoth | kPortable},
    {"-fdiagnostics-absolute-paths", Attach::none, Does::nothing, kBoth},
    {"-pipe --pipe", Attach::none, Does::nothing, kBoth | kPortable},
    {"-pthread", Attach::none, Does::nothing, kBoth | kPortable | kDialect},
    {"-fintegrated-as -fno-integrated-as -integrated-as -no-integrated-as", Attach::none, Does::nothing,
     kBoth | kPortable | kDialect | kSelects},
    {"--param", Attach::separate, Does::nothing, kBoth | kPortable},
    {"--param=", Attach::joined, Does::nothing, kBoth | kPortable},
    {"-m", Attach::joined, Does::nothing, kBoth | kPortable | kDialect, "word"},
    {"-march= -mtune= -mcpu=", Attach::joined, Does::cpu, kBoth | kPortable | kDialect},
    {"-msse4.1 -msse4.2 -mno-sse4.1 -mno-sse4.2", Attach::none, Does::nothing, kBoth | kPortable | kDialect},
    {"-mfpu= -mfloat-abi= -mabi= -mcmodel= -mfpmath= -mregparm= -mpreferred-stack-boundary= "
     "-mincoming-stack-boundary= -mstack-alignment= -mtls-dialect= -mprefer-vector-width= "
     "-mbranch-protection= -mbranch-cost= -mindirect-branch= -mfunction-return= -mstack-protector-guard= "
     "-mstack-protector-guard-reg= -mstack-protector-guard-offset= -mharden-sls= -mveclibabi= -mrecip= "
     "-mmacosx-version-min= -mmacos-version-min= -mios-version-min= -mtp= -msign-return-address= "
     "-mstack-probe-size= -mlarge-data-threshold= -masm= -msve-vector-bits= -mthread-model= -mmove-max= "
     "-mstore-max= -mmemcpy-strategy= -mmemset-strategy= -moverride= -mexec-model= -mzos-hlq-",
     Attach::joined, Does::nothing, kBoth | kPortable | kDialect},
    {"-mllvm", Attach::separate, Does::for_llvm, kClang},
    {"-mmlir -mllvm= -mspecs= -mconfig= -mrecord-", Attach::joined, Does::refuse, kBoth, "machine_option"},
    {"-m32 -m64 -mx32 -m16 -mbig-endian -mlittle-endian -EB -EL", Attach::none, Does::nothing,
     kBoth | kPortable | kDialect | kSelects},
    {"-target", Attach::separate, Does::target, kClang | kPortable | kDialect | kSelects},
    {"--target=", Attach::joined, Does::target, kClang | kPortable | kDialect | kSelects},
    {"-target-", Attach::joined, Does::refuse, kBoth, "driver_internals"},
    {"-arch", Attach::separate, Does::refuse, kBoth, "arch"},
    {"-frandom-seed=", Attach::joined, Does::nothing, kBoth | kPortable},
    {"-fverbose-asm", Attach::none, Does::verbose_assembly, kBoth | kPortable | kNegatable},
    {"-ffile-reproducible", Attach::none, Does::nothing, kBoth | kNegatable},
    {"-finstrument-functions -finstrument-functions-after-inlining -finstrument-function-entry-bare",
     Attach::none, Does::nothing, kBoth | kPortable | kNegatable},
    {"-finstrument-functions-exclude-file-list= -finstrument-functions-exclude-function-list=",
     Attach::joined, Does::nothing, kBoth},
    {"-fsanitize= -fno-sanitize= -fsanitize-recover= -fno-sanitize-recover= -fsanitize-trap= "
     "-fno-sanitize-trap= -fsanitize-coverage= -fno-sanitize-coverage= -fsanitize-memory-track-origins= "
     "-fsanitize-address-use-after-return= -fsanitize-address-destructor= -fsanitize-sections= "
     "-fsanitize-undefined-strip-path-components= -fasan-shadow-offset=",
     Attach::joined, Does::nothing, kBoth | kDialect},
    {"-fsanitize-recover -fsanitize-trap -fsanitize-address-use-after-scope "
     "-fsanitize-address-globals-dead-stripping -fsanitize-address-use-odr-indicator "
     "-fsanitize-address-poison-custom-array-cookie -fsanitize-memory-track-origins "
     "-fsanitize-memory-use-after-dtor -fsanitize-memory-param-retval -fsanitize-minimal-runtime "
     "-fsanitize-cfi-cross-dso -fsanitize-cfi-icall-generalize-pointers -fsanitize-stats "
     "-fsanitize-link-runtime -fsanitize-thread-atomics -fsanitize-thread-func-entry-exit "
     "-fsanitize-thread-memory-access",
     Attach::none, Does::nothing, kBoth | kDialect | kNegatable},
    {"-fno-sanitize-ignorelist -fno-sanitize-blacklist", Attach::none, Does::nothing, kClang | kDialect},
    {"-fsanitize-ignorelist= -fsanitize-blacklist= -fsanitize-system-ignorelist= "
     "-fsanitize-system-blacklist= -fsanitize-coverage-allowlist= -fsanitize-coverage-whitelist= "
     "-fsanitize-coverage-ignorelist= -fsanitize-coverage-blacklist= -fxray-always-instrument= "
     "-fxray-never-instrument= -fxray-attr-list= -fprofile-list=",
     Attach::joined, Does::side_input, kClang},
    {"-fxray-instrument -fxray-always-emit-customevents -fxray-always-emit-typedevents -fxray-ignore-loops "
     "-fxray-function-index",
     Attach::none, Does::nothing, kClang | kNegatable},
    {"-fxray-instruction-threshold= -fxray-modes= -fxray-instrumentation-bundle=", Attach::joined,
     Does::nothing, kClang},
    // Link time optimisation, profiles, coverage.
    {"-flto", Attach::none, Does::lto, kBoth | kNegatable},
    {"-flto=", Attach::joined, Does::lto, kBoth},
    {"-fthinlto -ffat-lto-objects -fwhole-program-vtables -fvirtual-function-elimination "
     "-flto-odr-type-merging -fwhole-program -fuse-linker-plugin",
     Attach::none, Does::nothing, kBoth | kNegatable},
    {"-flto-partition= -flto-compression-level= -flto-jobs= -flto-unit", Attach::joined, Does::nothing,
     kBoth},
    {"-fno-lto", Attach::none, Does::lto, kBoth | kPortable, "off"},
    {"-fno-fat-lto-objects -fno-whole-program-vtables", Attach::none, Does::nothing, kBoth | kPortable},
    {"-fthinlto-index=", Attach::joined, Does::refuse, kBoth, "thinlto_index"},
    {"-fembed-bitcode -fembed-bitcode-marker", Attach::none, Does::nothing, kClang},
    {"-fembed-bitcode=", Attach::joined, Does::nothing, kClang},
    {"-emit-llvm", Attach::none, Does::emit_llvm, kClang},
    {"--coverage -coverage -ftest-coverage", Attach::none, Does::coverage, kBoth},
    {"-fprofile-arcs", Attach::none, Does::nothing, kBoth | kNegatable},
    {"-fno-test-coverage", Attach::none, Does::refuse, kBoth, "coverage_form"},
    {"-fprofile-note= -fprofile-dir=", Attach::joined, Does::refuse, kBoth, "coverage_form"},
    {"-fcoverage-mapping -fprofile-abs-path -fprofile-values -fvpt -fcoverage-mcdc", Attach::none,
     Does::nothing, kBoth | kNegatable},
    {"-fprofile-generate -fprofile-instr-generate -fcs-profile-generate -fprofile-partial-training "
     "-fprofile-info-section -fprofile-continuous",
     Attach::none, Does::nothing, kBoth | kNegatable},
    {"-fprofile-generate= -fprofile-instr-generate= -fcs-profile-generate= -fprofile-update= "
     "-fprofile-reproducible= -fprofile-filter-files= -fprofile-exclude-files= -fprofile-prefix-path= "
     "-fprofile-info-section= -fprofile-function-groups= -fprofile-selected-function-group=",
     Attach::joined, Does::nothing, kBoth},
    {"-fprofile-use -fauto-profile -fprofile-instr-use -fprofile-sample-use -fbranch-probabilities "
     "-fprofile-use= -fauto-profile= -fprofile-remapping-file -fmemory-profile-use= -fcs-profile-use",
     Attach::joined, Does::refuse, kBoth, "profile_use"},
    {"-fprofile-instr-use= -fprofile-sample-use=", Attach::joined, Does::side_input, kClang},
    {"-fno-profile-use -fno-profile-generate -fno-profile-instr-use -fno-profile-instr-generate "
     "-fno-profile-sample-use -fno-auto-profile",
     Attach::none, Does::nothing, kBoth},
    // Debug information and the paths in it.
    // With unwind tables off, there is a macro for their directives only when debug information needs them.
    {"-g", Attach::joined, Does::debug, kBoth | kDialect, "word"},
    {"-g -g1 -g2 -g3 -ggdb -ggdb1 -ggdb2 -ggdb3 -gdwarf -gdwarf-5 -gline-tables-only -gmlt", Attach::none,
     Does::debug, kBoth | kPortable | kDialect},
    {"-g0 -ggdb0", Attach::none, Does::debug, kBoth | kPortable | kDialect, "off"},
    {"-gdwarf-2 -gdwarf-3 -gdwarf-4", Attach::none, Does::debug, kClang | kPortable | kDialect},
    {"-gdwarf-2 -gdwarf-3 -gdwarf-4", Attach::none, Does::debug, kGcc | kDialect},
    {"-ginline-line-tables -gno-inline-line-tables -gdwarf32 -gdwarf64", Attach::none, Does::nothing,
     kBoth | kPortable | kDialect},
    {"-gz -gstrict-dwarf -gno-strict-dwarf -gcolumn-info -gno-column-info -gpubnames -ggnu-pubnames "
     "-gno-pubnames -gno-gnu-pubnames -gstatement-frontiers -gno-statement-frontiers "
     "-gvariable-location-views -gno-variable-location-views -ginline-points -gno-inline-points "
     "-gas-loc-support -gno-as-loc-support -gas-locview-support -gno-as-locview-support "
     "-ginternal-reset-location-views -gno-internal-reset-location-views -gno-codeview "
     "-gno-simple-template-names -gsimple-template-names "
     "-gno-record-gcc-switches -gno-record-command-line",
     Attach::none, Does::nothing, kBoth | kPortable},
    {"-gz=", Attach::joined, Does::nothing, kBoth | kPortable},
    {"-gtoggle -gmodules -gcodeview", Attach::none, Does::refuse, kBoth, "debug_form"},
    {"-grecord-gcc-switches", Attach::none, Does::nothing, kGcc | kPortable},
    {"-grecord-gcc-switches -grecord-command-line -frecord-command-line", Attach::none, Does::records_command,
     kClang},
    {"-frecord-gcc-switches", Attach::none, Does::records_command, kBoth},
    {"-fno-record-gcc-switches -fno-record-command-line", Attach::none, Does::nothing, kBoth | kPortable},
    {"-gsplit-dwarf", Attach::none, Does::split_dwarf, kBoth | kPortable},
    {"-gsplit-dwarf=", Attach::joined, Does::split_dwarf, kClang},
    {"-gno-split-dwarf", Attach::none, Does::split_dwarf, kBoth | kPortable, "off"},
    {"-fdebug-prefix-map= -fmacro-prefix-map= -ffile-prefix-map= -fcoverage-prefix-map= "
     "-fprofile-prefix-map=",
     Attach::joined, Does::prefix_map, kBoth | kPortable},
    {"-fdebug-compilation-dir= -ffile-compilation-dir= -fcoverage-compilation-dir=", Attach::joined,
     Does::path, kClang},
    {"-fdebug-compilation-dir", Attach::separate, Does::path, kClang},
    {"-fno-canonical-system-headers -fcanonical-system-headers", Attach::none, Does::nothing, kGcc},
    {"-no-canonical-prefixes -canonical-prefixes", Attach::none, Does::nothing,
     kBoth | kPortable | kDialect | kSelects},
    {"-fdebug-ranges-base-address -fdwarf-directory-asm", Attach::none, Does::nothing, kClang | kNegatable},
    // Files that are written beside the object.
    {"-fstack-usage", Attach::none, Does::aux_output, kBoth | kNegatable, ".su"},
    {"-fcallgraph-info -fcallgraph-info=", Attach::joined, Does::aux_output, kGcc, ".ci"},
    {"-ftime-trace", Attach::none, Does::time_trace, kClang},
    {"-ftime-trace-granularity=", Attach::joined, Does::nothing, kClang},
    {"-ftime-report -fmem-report -fpre-ipa-mem-report -fpost-ipa-mem-report -fproc-stat-report -time",
     Attach::joined, Does::refuse, kBoth, "timing_report"},
    {"-Q", Attach::none, Does::refuse, kBoth, "timing_report"},
    {"-fsave-optimization-record", Attach::none, Does::optimization_record, kBoth | kNegatable},
    {"-fsave-optimization-record=", Attach::joined, Does::refuse, kClang, "optimization_record_form"},
    {"-foptimization-record-file=", Attach::joined, Does::refuse, kClang, "optimization_record_form"},
    {"-foptimization-record-passes=", Attach::joined, Does::nothing, kClang},
    {"-fopt-info", Attach::joined, Does::refuse, kGcc, "opt_info"},
    {"-aux-info", Attach::separate, Does::extra_output, kGcc, "aux_info"},
    {"-aux-info=", Attach::joined, Does::refuse, kGcc, "rare_spelling"},
    {"--serialize-diagnostics -serialize-diagnostics", Attach::separate, Does::extra_output, kClang,
     "diagnostics"},
    {"-save-temps --save-temps", Attach::none, Does::save_temps, kBoth},
    {"-save-temps= --save-temps=", Attach::joined, Does::save_temps, kBoth},
    {"-save-stats --save-stats", Attach::none, Does::save_stats, kClang},
    {"-save-stats= --save-stats=", Attach::joined, Does::save_stats, kClang},
    {"-fcrash-diagnostics-dir= -fcrash-diagnostics -gen-reproducer", Attach::joined, Does::refuse, kClang,
     "crash_diagnostics"},
    {"-fdump-go-spec= -fada-spec-parent= -fcompare-debug -fdbg-cnt -fdisable- -fenable- -frepo "
     "-fcallgraph-info-",
     Attach::joined, Does::refuse, kGcc, "rare_output"},
    // Messages.
    {"-fdiagnostics-color -fcolor-diagnostics -fno-diagnostics-color -fno-color-diagnostics "
     "-fansi-escape-codes",
     Attach::none, Does::nothing, kBoth | kPortable, "colour"},
    {"-fdiagnostics-color=", Attach::joined, Does::nothing, kBoth | kPortable, "colour"},
    // Tools.
    {"-B", Attach::either, Does::path, kBoth | kDialect | kSelects},
    {"--gcc-toolchain= --gcc-install-dir= -resource-dir=", Attach::joined, Does::path,
     kClang | kDialect | kSelects},
    {"-gcc-toolchain", Attach::separate, Does::refuse, kClang, "rare_spelling"},
    {"-resource-dir", Attach::separate, Does::path, kClang | kDialect | kSelects},
    {"-fplugin -fpass-plugin=", Attach::joined, Does::refuse, kBoth, "plugin"},
    {"-specs --specs", Attach::joined, Does::refuse, kBoth, "specs"},
    {"--config", Attach::joined, Does::refuse, kBoth, "config_file"},
    {"--no-default-config", Attach::none, Does::nothing, kClang | kPortable},
    {"-wrapper", Attach::separate, Does::refuse, kBoth, "wrapper_option"},
    {"--driver-mode=", Attach::joined, Does::refuse, kBoth, "driver_mode"},
    {"-working-directory", Attach::joined, Does::refuse, kBoth, "working_directory"},
    {"-objcmt -object", Attach::joined, Does::refuse, kClang, "driver_internals"},
    {"-b -V", Attach::separate, Does::refuse, kBoth, "other_compiler"},
    {"-ccc- -cc1 -cc1as", Attach::joined, Does::refuse, kBoth, "driver_internals"},
    {"-Xclang", Attach::separate, Does::for_clang, kClang},
    {"-X -z -T -u -e", Attach::joined, Does::refuse, kBoth, "passed_on"},
    {"-Wa,", Attach::joined, Does::for_assembler_list, kBoth | kPortable},
    {"-Xassembler", Attach::separate, Does::for_assembler, kBoth | kPortable},
    {"--offload --cuda --hip --rocm --no-cuda -fopenmp-targets= -foffload", Attach::joined, Does::refuse,
     kBoth, "offload"},
    {"-Qunused-arguments", Attach::none, Does::nothing, kClang | kPortable},
    {"-Qn -Qy", Attach::none, Does::nothing, kBoth | kPortable},
    {"-fuse-ld= --ld-path= -rtlib= --rtlib= -unwindlib= --unwindlib=", Attach::joined, Does::nothing,
     kBoth | kPortable},
    {"-L", Attach::either, Does::path, kBoth | kPortable},
    {"-l", Attach::either, Does::nothing, kBoth | kPortable},
    {"-static -shared -rdynamic -s -no-pie -pie -static-libgcc -static-libstdc++ -shared-libgcc -nostdlib "
     "-nostdlib++ -nodefaultlibs -nostartfiles -static-pie",
     Attach::none, Does::nothing, kBoth | kPortable},
    {"-r", Attach::none, Does::refuse, kBoth, "not_a_compile"},
    {"--start-no-unused-arguments --end-no-unused-arguments", Attach::none, Does::nothing,
     kClang | kPortable},
};

// Names in buckets by their second and third character, the longest first: a word is compared with a few
// dozen names at most, because this is done for every word of every command.
class Index {
 public:
  Index() {
    for (const Row& row : kRows) {
      std::string_view rest = row.spellings;
      while (!rest.empty()) {
        std::size_t blank = rest.find(' ');
        std::string_view name = rest.substr(0, blank);
        rest = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
        buckets_[bucket_of(name)].push_back({name, row.attach, row.does, row.bits, row.detail});
      }
    }
    for (std::vector<Flag>& bucket : buckets_) std::stable_sort(bucket.begin(), bucket.end(), goes_first);
  }

  // The longest name that begins `word` and fits its end.
  std::optional<Match> find(std::string_view word, std::uint8_t family) const {
    std::optional<Match> match = find_in(buckets_[bucket_of(word)], word, family);
    if (match || word.size() < 3) return match;
    return find_in(buckets_[bucket_of(word.substr(0, 2))], word, family);
  }

 private:
  static constexpr std::size_t kBuckets = 1024;

  static std::size_t bucket_of(std::string_view word) {
    std::size_t second = word.size() > 1 ? static_cast<unsigned char>(word[1]) : 0;
    std::size_t third = word.size() > 2 ? static_cast<unsigned char>(word[2]) : 0;
    return (second * 31 + third) % kBuckets;
  }

  // An exact word beats the same name with an empty joined value.
  static bool goes_first(const Flag& a, const Flag& b) {
    if (a.name.size() != b.name.size()) return a.name.size() > b.name.size();
    if (a.name != b.name) return a.name < b.name;
    return a.attach != Attach::joined && b.attach == Attach::joined;
  }

  static std::optional<Match> find_in(const std::vector<Flag>& bucket, std::string_view word,
                                      std::uint8_t family) {
    for (const Flag& flag : bucket) {
      if (!flag.has(family) || !word.starts_with(flag.name)) continue;
      bool whole = flag.name.size() == word.size();
      if (!whole && flag.attach != Attach::joined && flag.attach != Attach::either) continue;
      bool next = whole && (flag.attach == Attach::separate || flag.attach == Attach::either);
      return Match{&flag, false, static_cast<std::uint16_t>(flag.name.size()), next};
    }
    return std::nullopt;
  }

  std::array<std::vector<Flag>, kBuckets> buckets_;
};

}  // namespace

std::optional<Match> find_flag(std::string_view word, Family family) {
  static const Index index;
  std::uint8_t bit = family == Family::gcc ? kGcc : kClang;
  std::optional<Match> match = index.find(word, bit);
  bool generic = match && match->flag->detail == "word";
  if ((match && !generic) || (!word.starts_with("-fno-") && !word.starts_with("-mno-"))) return match;
  std::string positive = std::string(word.substr(0, 2)) + std::string(word.substr(5));
  std::optional<Match> undone = index.find(positive, bit);
  if (undone && undone->flag->has(kNegatable)) {
    undone->negated = true;
    undone->value_at = static_cast<std::uint16_t>(undone->value_at + 3);
    return undone;
  }
  return match;
}

}  // namespace compiler
