#include "serve/page.h"

#include <doctest/doctest.h>

#include "fake/status_fixture.h"
#include "fake/text.h"
#include "serve/page_files.h"

namespace {

serve::HttpRequest request_of(const std::string& path, const std::string& encodings = "") {
  serve::HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.headers["accept-encoding"] = encodings;
  return request;
}

}  // namespace

TEST_CASE("the plain page shows status and tasks") {
  fake::StatusFixture fixture;
  task::Record record;
  record.source = "net/a.cc";
  record.reason = "unknown_flag: -foo";
  fixture.run(record, task::Result::passthrough);
  record.source = "net/b.cc";
  fixture.history.begin(record);
  serve::HttpResponse response = serve::start_page(request_of("/"), fixture.sources());
  CHECK(response.type == "text/html; charset=utf-8");
  for (const char* part : {"net/a.cc", "net/b.cc", "passthrough", "running", "unknown flag",
                           "1 done, 1 running", "2 of 4 in use", "0.1.0 (test)"}) {
    CAPTURE(part);
    CHECK(fake::holds(response.body, part));
  }
  CHECK(!fake::holds(response.body, "t0ken"));
}

TEST_CASE("nothing a build names can become markup or show a secret") {
  fake::StatusFixture fixture;
  task::Record record;
  record.source = "<img src=x onerror=alert(1)>\"'&";
  record.reason = "label<b>: -DAPI_TOKEN=abc";
  fixture.run(record, task::Result::passthrough);
  fixture.health = "error: <script>";
  std::string html = serve::start_page(request_of("/"), fixture.sources()).body;
  CHECK(!fake::holds(html, "<img"));
  CHECK(!fake::holds(html, "<script"));
  CHECK(!fake::holds(html, "<b>"));
  CHECK(!fake::holds(html, "abc"));
  CHECK(fake::holds(html, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"));
}

TEST_CASE("the embedded page is given to browsers, the plain one to those who cannot take it") {
  fake::StatusFixture fixture;
  serve::HttpResponse page = serve::start_page(request_of("/", "gzip, br"), fixture.sources());
  bool embedded = serve::kPageFileCount != 0;
  CHECK(fake::holds(page.body, "/static/app.js") == embedded);
  CHECK(fake::holds(page.body, "content=\"t0ken\"") == embedded);
  serve::HttpRequest plain = request_of("/", "gzip");
  plain.query["plain"] = "1";
  CHECK(fake::holds(serve::start_page(plain, fixture.sources()).body, "<h2>Tasks</h2>"));
}

TEST_CASE("files are sent gzipped, and not again to those who have them") {
  CHECK(serve::page_file(request_of("/static/plain.css"))->type == "text/css; charset=utf-8");
  CHECK(!serve::page_file(request_of("/static/none")));
  for (std::size_t i = 0; i < serve::kPageFileCount; ++i) {
    const serve::PageFile& file = serve::kPageFiles[i];
    serve::HttpRequest request = request_of(std::string(file.path), "gzip");
    std::optional<serve::HttpResponse> response = serve::page_file(request);
    REQUIRE(response.has_value());
    CHECK(response->headers["Content-Encoding"] == "gzip");
    CHECK(response->headers["Cache-Control"] == "no-cache");
    CHECK(response->body.substr(0, 2) == "\x1f\x8b");
    request.headers["if-none-match"] = response->headers["ETag"];
    response = serve::page_file(request);
    CHECK(response->status == 304);
    CHECK(response->body.empty());
  }
}

TEST_CASE("what HTML must not see is escaped") {
  CHECK(serve::escape_html("<a href=\"x\">'&\n\x01") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;  ");
  CHECK(serve::escape_html("\xc3\xa4") == "\xc3\xa4");
}
