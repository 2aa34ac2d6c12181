#include "inputs/macro_log.h"

#include <doctest/doctest.h>

#include <string>

#include "inputs/macro.h"

using inputs::MacroLog;
using inputs::MacroLook;
namespace {

// Definitions are told apart by their places alone.
struct LogFixture {
  MacroLog log;
  inputs::Macro definitions[4];

  const inputs::Macro* at(int which) const { return which < 0 ? nullptr : &definitions[which]; }
  void looked(inputs::Id name, int which) { log.looked(name, at(which)); }
  void changed(inputs::Id name, int which) { log.changed(name, at(which)); }

  std::string text(const std::vector<MacroLook>& looks) const {
    std::string out;
    for (const MacroLook& look : looks) {
      out += (out.empty() ? "" : " ") + std::to_string(look.name) + ':';
      out += look.macro == nullptr ? "-" : std::to_string(look.macro - definitions);
    }
    return out;
  }
  // "reads / writes"
  std::string close(MacroLog::Position part) {
    std::vector<MacroLook> reads;
    std::vector<MacroLook> writes;
    log.close(part, reads, writes);
    return text(reads) + " / " + text(writes);
  }
};

}  // namespace

TEST_CASE_FIXTURE(LogFixture, "a part has what was asked before it was changed, and how it ended") {
  const MacroLog::Position part = log.open();
  looked(5, 0);
  looked(6, -1);
  changed(7, 1);
  looked(7, 1);
  changed(5, 2);
  changed(7, 3);
  looked(5, 2);
  CHECK(close(part) == "5:0 6:- / 7:3 5:2");
  CHECK_FALSE(log.is_open());
}

TEST_CASE_FIXTURE(LogFixture, "what is undefined in the end was changed too") {
  const MacroLog::Position part = log.open();
  changed(5, 0);
  changed(5, -1);
  CHECK(close(part) == " / 5:-");
}

TEST_CASE_FIXTURE(LogFixture, "a part within another belongs to both") {
  const MacroLog::Position outer = log.open();
  looked(1, 0);
  changed(2, 0);
  const MacroLog::Position inner = log.open();
  looked(1, 0);
  looked(2, 0);
  looked(3, -1);
  changed(1, 1);
  CHECK(close(inner) == "1:0 2:0 3:- / 1:1");
  CHECK(log.is_open());
  looked(3, -1);
  looked(4, 2);
  CHECK(close(outer) == "1:0 3:- 4:2 / 2:0 1:1");
}

TEST_CASE_FIXTURE(LogFixture, "parts one after the other know nothing of each other") {
  const MacroLog::Position outer = log.open();
  MacroLog::Position part = log.open();
  looked(1, 0);
  CHECK(close(part) == "1:0 / ");
  part = log.open();
  looked(1, 0);
  changed(1, 1);
  CHECK(close(part) == "1:0 / 1:1");
  part = log.open();
  looked(1, 1);
  CHECK(close(part) == "1:1 / ");
  CHECK(close(outer) == "1:0 / 1:1");
}

TEST_CASE_FIXTURE(LogFixture, "after all parts were given up a new one begins with nothing") {
  log.open();
  looked(1, 0);
  log.open();
  changed(2, 0);
  log.reset();
  CHECK_FALSE(log.is_open());
  const MacroLog::Position part = log.open();
  looked(2, 0);
  looked(1, 1);
  CHECK(close(part) == "2:0 1:1 / ");
}
