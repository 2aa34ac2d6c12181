#include "remote/anonymous.h"

#include <doctest/doctest.h>

#include "fake/fake_credentials.h"

namespace {

bool sends(remote::Credentials& credentials) {
  base::Result<remote::Credentials::Current> current = credentials.current({});
  REQUIRE(current);
  return !current->headers.empty();
}

}  // namespace

TEST_CASE("credentials are passed on until they are left at home") {
  fake::FakeCredentials inner;
  inner.set(fake::bearer("token"));
  remote::Anonymous credentials(inner);
  CHECK(sends(credentials));
  CHECK(credentials.version() == inner.version());
  CHECK(credentials.state().source == "headers");
  CHECK_FALSE(credentials.is_left());

  CHECK(credentials.leave());
  CHECK(credentials.is_left());
  CHECK_FALSE(sends(credentials));
  CHECK(sends(inner));
}

TEST_CASE("new credentials are sent again") {
  fake::FakeCredentials inner;
  inner.set(fake::bearer("expired"));
  remote::Anonymous credentials(inner);
  CHECK(credentials.leave());
  inner.set(fake::bearer("good"));
  CHECK_FALSE(credentials.is_left());
  CHECK(sends(credentials));
}

TEST_CASE("what did not help is taken back") {
  fake::FakeCredentials inner;
  inner.set(fake::bearer("token"));
  remote::Anonymous credentials(inner);
  CHECK(credentials.leave());
  credentials.take_up();
  CHECK_FALSE(credentials.is_left());
  CHECK(sends(credentials));
}

TEST_CASE("credentials that have expired, and are sent all the same, can be left") {
  fake::FakeCredentials inner;
  inner.set(fake::bearer("expired"));
  inner.expire();
  remote::Anonymous credentials(inner);
  CHECK(credentials.leave());
  CHECK_FALSE(sends(credentials));
}

TEST_CASE("who has no credentials has none to leave") {
  fake::FakeCredentials inner;
  remote::Anonymous credentials(inner);
  CHECK_FALSE(credentials.leave());
  CHECK_FALSE(sends(credentials));
}

TEST_CASE("a refusal of an anonymous call renews nothing") {
  fake::FakeCredentials inner;
  inner.set(fake::bearer("token"));
  inner.set_next(fake::bearer("other"));
  remote::Anonymous credentials(inner);
  CHECK(credentials.leave());
  CHECK_FALSE(credentials.refused(credentials.version(), {}));
  CHECK(inner.refusals() == 0);
  credentials.take_up();
  CHECK(credentials.refused(credentials.version(), {}));
  CHECK(inner.refusals() == 1);
}
