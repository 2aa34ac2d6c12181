// The files that a compile reads besides sources and headers: lists and profiles named by flags, what
// assembler source pulls in, and what a scan must know of precompiled headers.
#pragma once

#include <string>

#include "base/result.h"
#include "compiler/command.h"
#include "compiler/dialect.h"
#include "inputs/directive.h"
#include "inputs/file_index.h"
#include "inputs/lists.h"
#include "inputs/recorder.h"

namespace inputs {

// The files named by flags. An absent one is noted in the trail alone: the compiler may do without.
base::Result<void> add_side_inputs(const compiler::Command& command, FileIndex& index, NodeId cwd,
                                   Recorder& recorder);

// clang: the lists that its sanitizers and instrumentation read. The depfile names them, before the source.
// `resource_include`: the compiler's own include directory, beside which its lists are; empty if not known.
base::Result<void> add_clang_lists(const compiler::Command& command, const std::string& resource_include,
                                   FileIndex& index, NodeId cwd, Recorder& recorder);

// The directory with clang's own headers among those built in; empty when there is none.
std::string clang_resource_include(const compiler::Dialect& dialect);

// clang: `unsupported` when it would take a precompiled header in place of an -include.
base::Result<void> check_clang_precompiled(const compiler::Command& command, FileIndex& index, NodeId cwd,
                                           Recorder& recorder);

// What .incbin and .include of an assembler source name, and of the sources included in turn. Names are
// looked up in the working directory, where every assembler looks first; `unsupported` for what is not there.
base::Result<void> add_assembler_files(const DirectiveList& list, Lists& lists, FileIndex& index, NodeId cwd,
                                       Recorder& recorder);

}  // namespace inputs
