#include "serve/goma_pages.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "fake/status_fixture.h"
#include "fake/temp_dir.h"

using nlohmann::json;

namespace {

// One of each result, and one task still running.
void fill(fake::StatusFixture& fixture) {
  task::Record record;
  fixture.run(record, task::Result::local_hit);
  fixture.run(record, task::Result::remote_hit);
  fixture.run(record, task::Result::remote_exec);
  fixture.run(record, task::Result::local_exec);
  fixture.run(record, task::Result::failed);
  fixture.run(record, task::Result::cancelled);
  record.reason = "unknown_flag: -foo";
  record.total_us = 3000;
  fixture.run(record, task::Result::passthrough);
  fixture.history.begin({});
}

}  // namespace

TEST_CASE("statz has the lines that scripts look for, in order") {
  fake::StatusFixture fixture;
  fill(fixture);
  std::string text = serve::statz_text(fixture.sources(), 12);
  std::size_t at = 0;
  for (const char* line : {"request: total=8 success=5 failure=1\n",
                           " compiler_proxy: fail=0\n",
                           " compiler_info: count=",
                           " goma: finished=2 cache_hit=1 local_cachehit=1 aborted=0 retry=0 fail=0\n",
                           " fallback_in_setup:\n",
                           "  parse_fail=",
                           "  compiler_info_fail=",
                           " local: run=4 killed=1 finished=3\n",
                           " local run reason:\n",
                           "  unknown_flag=1\n",
                           "files: requested=",
                           "outputs: files=",
                           "memory: consuming=",
                           "time: uptime=12\n",
                           "include_processor: total=",
                           "includecache:\n",
                           "  entries=",
                           "depscache: table_size=",
                           "localoutputcache:\n",
                           " save_success=",
                           " lookup_success=",
                           " commit_success=",
                           " gc_count=",
                           " gc_removed_items=",
                           " total_cache_count=0 total_cache_bytes=0\n",
                           "http_rpc: query=0",
                           "burst_mode: by_network=0"}) {
    CAPTURE(line);
    std::size_t found = text.find(line, at);
    REQUIRE(found != std::string::npos);
    at = found;
  }
}

TEST_CASE("statz as JSON agrees with the text") {
  fake::StatusFixture fixture;
  fill(fixture);
  json stats = json::parse(serve::statz_json(fixture.sources(), 12));
  CHECK(stats["requestStats"]["total"] == 8);
  CHECK(stats["requestStats"]["goma"]["localCacheHit"] == 1);
  CHECK(stats["timeStats"]["uptime"] == 12);
  CHECK(stats["memoryStats"]["consuming"] > 0);
}

TEST_CASE("flagz lists what the environment set, without secrets") {
  fake::StatusFixture fixture;
  fixture.settings = R"([{"name":"port","value":8099,"origin":"environment GOMA_COMPILER_PROXY_PORT"},
                         {"name":"api_token","value":"x","origin":"environment GOMA_API_TOKEN"},
                         {"name":"silo","value":"s","origin":"/etc/goma/config.json"},
                         {"name":"local_slots","value":2,"origin":"default"}])";
  CHECK(serve::flagz_text(fixture.sources()) == "GOMA_COMPILER_PROXY_PORT=8099\nGOMA_API_TOKEN=[hidden]\n");
}

TEST_CASE("the old task list puts failures apart and hides secrets") {
  fake::StatusFixture fixture;
  fill(fixture);
  task::Record record;
  record.command = "g++ -DAPI_TOKEN=abc";
  fixture.run(record, task::Result::failed);
  std::string text = serve::taskz_json(fixture.sources());
  json tasks = json::parse(text);
  CHECK(tasks["active"].size() == 1);
  CHECK(tasks["failed"].size() == 2);
  CHECK(tasks["finished"].size() == 6);
  CHECK(tasks["num_exec"]["goma_local_cache_hit"] == 1);
  CHECK(text.find("abc") == std::string::npos);
}

TEST_CASE("errorz counts the compiler's own errors") {
  fake::StatusFixture fixture;
  fill(fixture);
  json infra = json::parse(serve::errorz_json(fixture.sources()))["notice"][0]["infra_status"];
  CHECK(infra["num_user_error"] == 1);
  CHECK(infra["num_active_tasks"] == 1);
}

TEST_CASE("histograms sort times into powers of two") {
  fake::StatusFixture fixture;
  CHECK(serve::histogramz_text(fixture.sources()) == "no task has ended yet\n");
  task::Record record;
  record.total_us = 3000;
  fixture.run(record, task::Result::local_hit);
  fixture.run(record, task::Result::local_hit);
  record.total_us = 500;
  fixture.run(record, task::Result::local_hit);
  std::string text = serve::histogramz_text(fixture.sources());
  CHECK(text.find("handler_time local_hit: count=3 mean=2166 us") != std::string::npos);
  CHECK(text.find("<          4 ms        2 ##########") != std::string::npos);
  CHECK(text.find("<          1 ms        1 ####") != std::string::npos);
}

TEST_CASE("only the end of a long log is shown, from the start of a line") {
  fake::StatusFixture fixture;
  serve::StatusSources sources = fixture.sources();
  CHECK(serve::logz_text(sources).find("standard error") != std::string::npos);
  std::string line = std::string(99, 'x') + "\n";
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += line;
  fake::TempDir folder;
  sources.log_path = folder.write("log", bytes + "last\n");
  std::string shown = serve::logz_text(sources);
  CHECK(shown.size() < 300'000);
  CHECK(shown.substr(0, 100) == line);
  CHECK(shown.substr(shown.size() - 5) == "last\n");
  sources.log_path = folder / "none";
  CHECK(serve::logz_text(sources).find("open") != std::string::npos);
}
