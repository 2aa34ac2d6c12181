#include "task/run_argv.h"

#include <doctest/doctest.h>

using compiler::ArgRole;
using task::Colour;
using Words = std::vector<std::string>;

namespace {

struct Case {
  task::Request request;
  compiler::Command command;
};

Case make(const Words& argv, compiler::Depfile::Kind kind) {
  Case out;
  out.request.argv = argv;
  out.request.compiler = "/usr/bin/g++";
  out.command.language = compiler::Language::cxx;
  out.command.depfile.kind = kind;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    bool depfile = argv[i].starts_with("-M") || argv[i].starts_with("-Wp,-M");
    out.command.args.push_back({argv[i], depfile ? ArgRole::depfile : ArgRole::plain});
  }
  return out;
}

}  // namespace

TEST_CASE("a command without a depfile gets a private one, and colour") {
  Case c = make({"g++", "-c", "x.cc"}, compiler::Depfile::Kind::none);
  task::RunArgv run = task::make_run_argv(c.request, c.command, Colour::automatic, "/p/1.d");
  CHECK(run.argv ==
        Words{"/usr/bin/g++", "-fdiagnostics-color=always", "-MD", "-MF", "/p/1.d", "-c", "x.cc"});
  CHECK(run.private_depfile);
  CHECK(!run.owes_depfile);
}

TEST_CASE("a command with -MD runs as typed but for colour") {
  Case c = make({"/x/g++", "-fdiagnostics-color=never", "-MD", "-MF", "x.d", "-c", "x.cc"},
                compiler::Depfile::Kind::all);
  task::RunArgv run = task::make_run_argv(c.request, c.command, Colour::never, "/p/1.d");
  CHECK(run.argv == Words{"/x/g++", "-fdiagnostics-color=always", "-MD", "-MF", "x.d", "-c", "x.cc"});
  CHECK(!run.private_depfile);
}

TEST_CASE("-MMD is replaced, its targets stay") {
  Case c = make({"g++", "-MMD", "-MF", "x.d", "-MT", "x.o", "-MP", "-Wp,-MMD,y.d", "-c", "x.cc"},
                compiler::Depfile::Kind::user_headers);
  c.command.depfile.targets = {"x.o"};
  task::RunArgv run = task::make_run_argv(c.request, c.command, Colour::untouched, "/p/1.d");
  CHECK(run.argv == Words{"/usr/bin/g++", "-MD", "-MF", "/p/1.d", "-MT", "x.o", "-MP", "-c", "x.cc"});
  CHECK(run.owes_depfile);
}

TEST_CASE("nothing is added where no depfile can be") {
  Case c = make({"g++", "-c", "x.ii"}, compiler::Depfile::Kind::none);
  c.command.language = compiler::Language::cxx_preprocessed;
  CHECK(!task::make_run_argv(c.request, c.command, Colour::untouched, "/p/1.d").private_depfile);
  c.command.language = compiler::Language::cxx;
  CHECK(!task::make_run_argv(c.request, c.command, Colour::untouched, "").private_depfile);
  c.command.traits.records_command_line = true;
  CHECK(task::make_run_argv(c.request, c.command, Colour::untouched, "/p/1.d").argv ==
        Words{"/usr/bin/g++", "-c", "x.ii"});
}
