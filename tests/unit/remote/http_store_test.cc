#include "remote/http_store.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"
#include "fake/fake_credentials.h"
#include "fake/fake_http_cache.h"

namespace {

using remote::Cause;
using remote::Shelf;

base::HttpAnswer pass() { return fake::http_answer(0); }

struct HttpStoreWorld {
  fake::FakeHttpCache server;
  fake::FakeCredentials credentials;
  fake::FakeClock clock;
  remote::HttpStore store{
      *remote::parse_endpoint(fake::FakeHttpCache::kUrl), {}, true, server.http, credentials, clock};

  void answers_always(int status) {
    server.guard = [status](const base::HttpCall&) { return fake::http_answer(status); };
  }
  std::string blob(const base::Digest& digest) {
    auto bytes = store.blob(digest, {});
    if (!bytes) return remote::to_string(bytes.error().cause);
    return bytes->has_value() ? **bytes : "absent";
  }
  std::string put(const std::string& bytes) {
    auto done = store.put(Shelf::cas, base::digest_of(bytes).hex(), bytes, {});
    return done ? "ok" : remote::to_string(done.error().cause);
  }
  std::string authorization(std::size_t call) {
    return fake::header_of(server.http.calls().at(call), "authorization");
  }
};

// What a server answers that wants "Bearer good".
base::HttpAnswer wants_good(const base::HttpCall& call) {
  return fake::header_of(call, "authorization") == "Bearer good" ? pass() : fake::http_answer(401);
}

}  // namespace

TEST_CASE("blobs and entries come and go by their paths") {
  HttpStoreWorld world;
  CHECK(world.put("hello") == "ok");
  CHECK(world.put("hello") == "ok");
  CHECK(world.blob(base::digest_of("hello")) == "hello");
  CHECK(world.blob(base::digest_of("other")) == "absent");
  CHECK(*world.store.has_blob(base::digest_of("hello"), {}));
  CHECK(!*world.store.has_blob(base::digest_of("other"), {}));
  REQUIRE(world.store.put(Shelf::ac, "ab", "entry", {}));
  CHECK(**world.store.entry("ab", {}) == "entry");
  CHECK(world.server.get("/ac/ab") == "entry");
  base::HttpCall first = world.server.http.calls()[0];
  CHECK(first.url == "http://127.0.0.1:8080/cache/cas/" + base::digest_of("hello").hex());
  CHECK(fake::header_of(first, "content-type") == "application/octet-stream");
  CHECK(!first.proxy);
  CHECK(world.store.sent_bytes() == 15);
  CHECK(world.store.health().state().reached);
}

TEST_CASE("the empty blob is never asked for") {
  HttpStoreWorld world;
  CHECK(world.blob(base::digest_of("")).empty());
  CHECK(world.server.http.calls().empty());
}

TEST_CASE("every way to say absent is one") {
  for (int status : {404, 410, 403, 302}) {
    HttpStoreWorld world;
    world.answers_always(status);
    CHECK(world.blob(base::digest_of("x")) == "absent");
    CHECK(!world.store.entry("ab", {})->has_value());
    CHECK(world.store.health().state().breaker == remote::Breaker::closed);
  }
}

TEST_CASE("wrong content is as good as absent") {
  HttpStoreWorld world;
  world.server.put("/cas/" + base::digest_of("right").hex(), "wrong");
  CHECK(world.blob(base::digest_of("right")) == "absent");
  world.server.put("/cas/" + base::digest_of("r").hex(), "longer");
  CHECK(world.blob(base::digest_of("r")) == "absent");
  CHECK(!world.store.health().state().last_error.empty());
}

TEST_CASE("a damaged blob is said to be absent until it was sent again") {
  HttpStoreWorld world;
  base::Digest digest = base::digest_of("right");
  world.server.put("/cas/" + digest.hex(), "wrong");
  CHECK(*world.store.has_blob(digest, {}));
  CHECK(world.blob(digest) == "absent");
  CHECK_FALSE(*world.store.has_blob(digest, {}));
  world.answers_always(500);
  CHECK(world.put("right") == "unavailable");
  world.server.guard = nullptr;
  CHECK_FALSE(*world.store.has_blob(digest, {}));
  CHECK(world.put("right") == "ok");
  CHECK(*world.store.has_blob(digest, {}));
  CHECK(world.blob(digest) == "right");
}

TEST_CASE("a lost connection is tried once more, a dead server is not") {
  HttpStoreWorld world;
  base::Digest digest = world.server.put_blob("x");
  int calls = 0;
  world.server.guard = [&](const base::HttpCall&) -> base::Result<base::HttpAnswer> {
    if (++calls == 1) return base::Error{base::ErrorKind::transient, "the connection was lost"};
    return pass();
  };
  CHECK(world.blob(digest) == "x");
  CHECK(calls == 2);
  world.server.guard = [&](const base::HttpCall&) -> base::Result<base::HttpAnswer> {
    ++calls;
    return base::Error{base::ErrorKind::io, "connection refused"};
  };
  calls = 0;
  CHECK(world.blob(digest) == "unavailable");
  CHECK(calls == 1);
  world.blob(digest);
  world.blob(digest);
  // The breaker has opened: nothing is asked any more, until its pause has passed.
  CHECK(calls == 3);
  CHECK(world.blob(digest) == "unavailable");
  CHECK(calls == 3);
  world.server.guard = nullptr;
  world.clock.advance(std::chrono::seconds(5));
  CHECK(world.blob(digest) == "x");
}

TEST_CASE("a stop is no sign of illness") {
  HttpStoreWorld world;
  std::stop_source stop;
  stop.request_stop();
  auto bytes = world.store.blob(base::digest_of("x"), stop.get_token());
  REQUIRE(!bytes);
  CHECK(bytes.error().cause == Cause::cancelled);
  CHECK(world.store.health().state().last_error.empty());
}

TEST_CASE("compression: taken when offered, sent only to whom it came from") {
  HttpStoreWorld world;
  const std::string big(5000, 'x');
  CHECK(world.put(big) == "ok");
  CHECK(fake::header_of(world.server.http.calls()[0], "content-encoding").empty());
  world.server.zstd = true;
  CHECK(world.blob(base::digest_of(big)) == big);
  CHECK(world.put("small") == "ok");
  CHECK(world.put(big) == "ok");
  std::vector<base::HttpCall> calls = world.server.http.calls();
  CHECK(fake::header_of(calls[2], "content-encoding").empty());
  CHECK(fake::header_of(calls[3], "content-encoding") == "zstd");
  CHECK(fake::header_of(calls[3], "x-digest-sizebytes") == "5000");
  CHECK(calls[3].body.size() < 200);
  world.server.refuses_zstd = true;
  CHECK(world.put(std::string(6000, 'y')) == "ok");
  CHECK(world.put(std::string(7000, 'z')) == "ok");
  calls = world.server.http.calls();
  REQUIRE(calls.size() == 7);  // refused, plain, plain
  CHECK(calls[6].body.size() == 7000);
}

TEST_CASE("an encoding that is wrong or unknown is tried without") {
  for (const char* encoding : {"zstd", "br"}) {
    HttpStoreWorld world;
    base::Digest digest = world.server.put_blob("x");
    world.server.guard = [&](const base::HttpCall& call) {
      bool offered = fake::header_of(call, "accept-encoding").find("zstd") != std::string::npos;
      return offered ? fake::http_answer(200, "junk", {{"content-encoding", encoding}}) : pass();
    };
    CHECK(world.blob(digest) == "x");
  }
}

TEST_CASE("refused credentials are made anew once, then reading goes on without") {
  HttpStoreWorld world;
  base::Digest digest = world.server.put_blob("x");
  world.credentials.set({{"authorization", "Bearer old"}});
  world.credentials.set_next({{"authorization", "Bearer good"}});
  world.server.guard = wants_good;
  CHECK(world.blob(digest) == "x");
  CHECK(world.authorization(0) == "Bearer old");
  CHECK(world.authorization(1) == "Bearer good");
  // A server that refuses them, but lets everybody read.
  world.credentials.set({{"authorization", "Bearer bad"}});
  world.server.guard = [](const base::HttpCall& call) {
    return fake::header_of(call, "authorization").empty() ? pass() : fake::http_answer(401);
  };
  CHECK(world.blob(digest) == "x");
  CHECK(world.blob(digest) == "x");
  CHECK(world.server.http.calls().size() == 5);
  CHECK(world.authorization(4).empty());
  CHECK(world.store.may_read());
  CHECK(!world.store.may_update());
  CHECK(!world.store.refusal().empty());
  CHECK(world.credentials.refusals() == 2);
  // Others are tried again.
  world.credentials.set({{"authorization", "Bearer good"}});
  world.server.guard = wants_good;
  CHECK(world.store.may_update());
  CHECK(world.put("y") == "ok");
}

TEST_CASE("that anybody may read is believed when it was seen") {
  HttpStoreWorld world;
  base::Digest digest = world.server.put_blob("x");
  world.credentials.set({{"authorization", "Bearer bad"}});
  int without = 503;
  world.server.guard = [&](const base::HttpCall& call) {
    if (!fake::header_of(call, "authorization").empty()) return fake::http_answer(401);
    return without == 0 ? pass() : fake::http_answer(without);
  };
  for (int status : {503, 302}) {
    without = status;
    world.blob(digest);
    CHECK(world.store.may_read());
    CHECK(world.store.may_update());
  }
  // The same credentials may be good again when the server is well.
  without = 0;
  world.server.guard = nullptr;
  CHECK(world.blob(digest) == "x");
  CHECK_FALSE(world.authorization(world.server.http.calls().size() - 1).empty());
}

TEST_CASE("who is refused with credentials and without may not read") {
  HttpStoreWorld world;
  base::Digest digest = world.server.put_blob("x");
  world.credentials.set({{"authorization", "Bearer bad"}});
  world.server.guard = [](const base::HttpCall& call) {
    return fake::http_answer(fake::header_of(call, "authorization").empty() ? 403 : 401);
  };
  world.blob(digest);
  CHECK_FALSE(world.store.may_read());
  CHECK_FALSE(world.store.refusal().empty());
}

TEST_CASE("where nobody may read, nothing is asked until there are other credentials") {
  HttpStoreWorld world;
  world.server.guard = wants_good;
  base::Digest digest = world.server.put_blob("x");
  CHECK(world.blob(digest) == "unauthenticated");
  CHECK(!world.store.may_read());
  CHECK(world.blob(digest) == "unauthenticated");
  CHECK(world.server.http.calls().size() == 1);
  CHECK(world.store.refusal().find("127.0.0.1") != std::string::npos);
  world.credentials.set({{"authorization", "Bearer good"}});
  CHECK(world.store.may_read());
  CHECK(world.blob(digest) == "x");
}

TEST_CASE("the first refused PUT ends writing for as long as the credentials stay the same") {
  for (int status : {401, 403, 405}) {
    HttpStoreWorld world;
    world.server.guard = [status](const base::HttpCall& call) {
      return call.method == "PUT" ? fake::http_answer(status) : pass();
    };
    CHECK(world.store.may_update());
    CHECK(world.put("x") == "denied");
    CHECK(!world.store.may_update());
    CHECK(world.put("x") == "denied");
    CHECK(world.server.http.calls().size() == 1);
    CHECK(world.blob(base::digest_of("x")) == "absent");
    CHECK(world.store.health().state().breaker == remote::Breaker::closed);
    world.credentials.set({{"authorization", "Bearer good"}});
    world.server.guard = nullptr;
    CHECK(world.put("x") == "ok");
  }
}

TEST_CASE("without headers, a client certificate may have been replaced after a while") {
  HttpStoreWorld world;
  base::Digest digest = world.server.put_blob("x");
  world.answers_always(401);
  CHECK(world.blob(digest) == "unauthenticated");
  CHECK(world.put("y") == "denied");
  world.server.guard = nullptr;
  world.clock.advance(std::chrono::minutes(9));
  CHECK(!world.store.may_read());
  CHECK(!world.store.may_update());
  CHECK(world.server.http.calls().size() == 2);
  world.clock.advance(std::chrono::minutes(2));
  CHECK(world.blob(digest) == "x");
  CHECK(world.put("y") == "ok");
}

TEST_CASE("a full storage is left alone for some minutes") {
  HttpStoreWorld world;
  world.answers_always(507);
  CHECK(world.put("x") == "exhausted");
  CHECK(!world.store.may_update());
  CHECK(world.store.refusal().find("full") != std::string::npos);
  CHECK(world.store.may_read());
  world.server.guard = nullptr;
  world.clock.advance(std::chrono::minutes(6));
  CHECK(world.put("x") == "ok");
}

TEST_CASE("what is too large is the blob's fault alone") {
  HttpStoreWorld world;
  world.answers_always(413);
  CHECK(world.put("x") == "too_large");
  CHECK(world.store.may_update());
}

TEST_CASE("the probe tells what kind of server this is") {
  HttpStoreWorld world;
  world.store.probe({});
  CHECK(world.server.http.lines()[0] ==
        std::string("HEAD ") + fake::FakeHttpCache::kUrl + "/cas/" + base::digest_of("").hex());
  CHECK(world.store.warning().empty());
  HttpStoreWorld pages;
  pages.server.guard = [](const base::HttpCall&) {
    return fake::http_answer(200, "", {{"content-type", "text/html; charset=utf-8"}});
  };
  pages.store.probe({});
  CHECK(pages.store.warning().find("web pages") != std::string::npos);
  HttpStoreWorld locked;
  locked.answers_always(401);
  locked.store.probe({});
  CHECK(!locked.store.may_read());
  HttpStoreWorld down;
  down.answers_always(502);
  down.store.probe({});
  CHECK(down.store.health().state().last_error.find("502") != std::string::npos);
}

TEST_CASE("writing that is switched off is never tried") {
  fake::FakeHttpCache server;
  fake::FakeCredentials credentials;
  fake::FakeClock clock;
  remote::HttpStore store(*remote::parse_endpoint("https://host/"), {"ca.pem", "", ""}, false, server.http,
                          credentials, clock);
  CHECK(!store.may_update());
  CHECK(!store.put(Shelf::ac, "ab", "x", {}));
  CHECK(store.refusal() == "writing is switched off");
  CHECK(server.http.calls().empty());
  server.http.answer("GET https://host/ac/ab", fake::http_answer(200, "e"));
  CHECK(**store.entry("ab", {}) == "e");
  CHECK(server.http.calls()[0].proxy);
  CHECK(server.http.calls()[0].tls.ca == "ca.pem");
}
