#include "remote/credential_file.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "fake/fake_files.h"

namespace {

std::string value(const base::Result<remote::Grant>& grant) {
  if (!grant) return "error: " + grant.error().message;
  return grant->headers.at(0).first + ": " + grant->headers.at(0).second;
}

}  // namespace

TEST_CASE("a token alone, with its scheme, or with the header's name") {
  CHECK(*remote::authorization_of("abc\n") == "Bearer abc");
  CHECK(*remote::authorization_of("  Basic eDp5 \r\n") == "Basic eDp5");
  CHECK(*remote::authorization_of("Authorization: Bearer x") == "Bearer x");
  CHECK(remote::authorization_of(" \n").error().message == "it is empty");
  base::Result<std::string> two = remote::authorization_of("s3cret\ns3cret");
  REQUIRE(!two);
  CHECK(two.error().message.find("s3cret") == std::string::npos);
}

TEST_CASE("the file is read once, and again when it changes") {
  fake::FakeFiles files;
  files.write("/token", "one");
  auto source = remote::make_credential_file("/token", files);
  CHECK(source->name() == "file /token");
  CHECK(value(source->get({})) == "authorization: Bearer one");
  CHECK(value(source->peek()) == "authorization: Bearer one");
  CHECK(files.reads().size() == 1);
  files.write("/token", "two");
  CHECK(value(source->peek()) == "authorization: Bearer two");
  files.remove("/token");
  CHECK(value(source->get({})) == "error: the credential file /token does not exist");
  files.write("/token", "three");
  CHECK(value(source->get({})) == "authorization: Bearer three");
}

TEST_CASE("a file that cannot be used is told, and comes back when it can") {
  fake::FakeFiles files;
  files.write("/token", "");
  auto source = remote::make_credential_file("/token", files);
  CHECK(value(source->get({})) == "error: the credential file /token: it is empty");
  files.write("/token", std::string(70'000, 'x'));
  CHECK(value(source->get({})) == "error: /token is larger than any credential");
  files.write("/token", "good");
  CHECK(value(source->get({})) == "authorization: Bearer good");
  files.fail("/token", EACCES);
  CHECK(source->get({}).error().kind == base::ErrorKind::io);
}

TEST_CASE("a token that says when it expires") {
  fake::FakeFiles files;
  files.write("/token", "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln");
  base::Result<remote::Grant> grant = remote::make_credential_file("/token", files)->get({});
  REQUIRE(grant);
  CHECK(grant->expires_s == 1'700'000'000);
}

TEST_CASE("each content of a watched file has a number of its own") {
  fake::FakeFiles files;
  remote::WatchedText text("/x", files);
  base::Result<remote::WatchedText::Version> first = text.get();
  REQUIRE(first);
  CHECK(!first->there);
  files.write("/x", "1");
  base::Result<remote::WatchedText::Version> second = text.get();
  REQUIRE(second);
  CHECK(second->text == "1");
  CHECK(second->number > first->number);
  CHECK(text.get()->number == second->number);
}
