#include "wire/protocol.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Writer = wire::Writer<std::string>;

wire::CompileHead sample_compile() {
  wire::CompileHead head{};
  head.version = "0.1.0";
  head.purpose = wire::Purpose::print_inputs;
  head.streams = wire::kStdoutIsTerminal | wire::kStderrIsTerminal;
  head.umask = 0777;
  head.directory = "/work \xff";
  head.compiler = "/usr/bin/g++";
  return head;
}

std::string encode_all() {
  std::string out;
  Writer writer(out);
  wire::put_compile_head(writer, sample_compile());
  writer.count(2);
  writer.text("g++");
  writer.text("");
  return out;
}

// Reads what `encode_all` wrote; true when all of it was there.
bool decode_all(std::string_view bytes) {
  wire::Reader in(bytes);
  wire::get_compile_head(in);
  std::uint32_t count = in.count(wire::kMinText);
  for (std::uint32_t i = 0; i < count; ++i) in.text();
  return in.complete();
}

}  // namespace

TEST_CASE("a header comes back as it was put") {
  for (std::uint32_t length : {0u, 1u, 0x01020304u, wire::kMaxPayload, 0xffffffffu}) {
    unsigned char bytes[wire::kHeaderSize];
    wire::put_header({length, wire::kProtocol, wire::Type::stored}, bytes);
    wire::Header header = wire::get_header(bytes);
    CHECK(header.length == length);
    CHECK(header.protocol == wire::kProtocol);
    CHECK(header.type == wire::Type::stored);
  }
}

TEST_CASE("a header is little endian: length, protocol, type") {
  unsigned char bytes[wire::kHeaderSize];
  wire::put_header({0x01020304, 0x0506, static_cast<wire::Type>(0x0708)}, bytes);
  CHECK(std::vector<int>(bytes, bytes + sizeof bytes) == std::vector<int>{4, 3, 2, 1, 6, 5, 8, 7});
}

TEST_CASE("integers of each width come back, little endian") {
  std::string out;
  Writer writer(out);
  writer.integer(0x1122334455667788, 8);
  writer.integer(0xaabbccdd, 4);
  writer.integer(0xee, 1);
  CHECK(out == "\x88\x77\x66\x55\x44\x33\x22\x11\xdd\xcc\xbb\xaa\xee");
  wire::Reader in(out);
  CHECK(in.integer(8) == 0x1122334455667788);
  CHECK(in.integer(4) == 0xaabbccdd);
  CHECK(in.integer(1) == 0xee);
  CHECK(in.complete());
}

TEST_CASE("a text is followed by a NUL in the payload, so that execve can take it in place") {
  std::string out;
  Writer writer(out);
  writer.text("abc");
  writer.text("");
  CHECK(out == std::string("\3\0\0\0abc\0\0\0\0\0\0", 13));
  wire::Reader in(out);
  std::string_view abc = in.text();
  CHECK(abc == "abc");
  CHECK(abc.data()[3] == '\0');
  std::string_view empty = in.text();
  CHECK(empty.empty());
  REQUIRE(empty.data() != nullptr);
  CHECK(*empty.data() == '\0');
  CHECK(in.complete());
}

TEST_CASE("compile comes back as it was put") {
  std::string out = encode_all();
  wire::Reader in(out);
  wire::CompileHead head = wire::get_compile_head(in);
  CHECK(head.version == "0.1.0");
  CHECK(head.purpose == wire::Purpose::print_inputs);
  CHECK(head.streams == 3);
  CHECK(head.umask == 0777);
  CHECK(head.directory == "/work \xff");
  CHECK(head.compiler == "/usr/bin/g++");
  REQUIRE(in.count(wire::kMinText) == 2);
  CHECK(in.text() == "g++");
  CHECK(in.text() == "");
  CHECK(in.complete());
}

TEST_CASE("run comes back as it was put") {
  for (unsigned bits = 0; bits < 8; ++bits) {
    wire::RunHead head{};
    head.capture = (bits & 1) != 0;
    head.again_if_lost = (bits & 2) != 0;
    head.strip = (bits & 4) != 0 ? wire::kStripStderr : wire::kStripStdout;
    std::string out;
    Writer writer(out);
    wire::put_run_head(writer, head);
    wire::Reader in(out);
    wire::RunHead back = wire::get_run_head(in);
    CHECK(in.complete());
    CHECK(back.capture == head.capture);
    CHECK(back.again_if_lost == head.again_if_lost);
    CHECK(back.strip == head.strip);
  }
}

TEST_CASE("finished comes back as it was put") {
  wire::FinishedHead head{};
  head.wait_status = -1;
  head.user_us = 1;
  head.system_us = 0xffffffffffffffff;
  head.max_rss_kib = 3;
  head.truncated = true;
  head.out = std::string_view("a\0b", 3);
  head.err = "warning";
  std::string out;
  Writer writer(out);
  wire::put_finished_head(writer, head);
  wire::put_output_identity(writer, {true, 5, 6, 7});
  wire::Reader in(out);
  wire::FinishedHead back = wire::get_finished_head(in);
  std::size_t before = out.size();
  wire::OutputIdentity identity = wire::get_output_identity(in);
  CHECK(in.complete());
  CHECK(back.wait_status == -1);
  CHECK(back.user_us == 1);
  CHECK(back.system_us == 0xffffffffffffffff);
  CHECK(back.max_rss_kib == 3);
  CHECK(back.truncated);
  CHECK(back.out == std::string_view("a\0b", 3));
  CHECK(back.err == "warning");
  CHECK(identity.exists);
  CHECK(identity.dev == 5);
  CHECK(identity.ino == 6);
  CHECK(identity.size == 7);
  wire::put_output_identity(writer, {});
  CHECK(out.size() - before == wire::kOutputIdentitySize);
}

TEST_CASE("done and refuse come back as they were put") {
  std::string out;
  Writer writer(out);
  wire::put_done(writer, {255, wire::kStripStdout, "out", "err"});
  wire::put_refuse(writer, {true, "ending"});
  wire::Reader in(out);
  wire::Done done = wire::get_done(in);
  CHECK(done.exit_code == 255);
  CHECK(done.strip == wire::kStripStdout);
  CHECK(done.out == "out");
  CHECK(done.err == "err");
  wire::Refuse refuse = wire::get_refuse(in);
  CHECK(refuse.again);
  CHECK(refuse.reason == "ending");
  CHECK(in.complete());
}

TEST_CASE("a payload that is cut short anywhere is not complete") {
  std::string whole = encode_all();
  REQUIRE(decode_all(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(decode_all(std::string_view(whole).substr(0, size)));
  }
}

TEST_CASE("bytes after the last field make a payload incomplete") {
  CHECK_FALSE(decode_all(encode_all() + "x"));
}

TEST_CASE("a text whose NUL is missing is refused") {
  wire::Reader in(std::string_view("\3\0\0\0abcd", 8));
  CHECK(in.text().empty());
  CHECK_FALSE(in.ok());
}

TEST_CASE("sizes far beyond the payload are refused without reading there") {
  for (std::string_view bytes :
       {std::string_view("\xff\xff\xff\xff", 4), std::string_view("\xff\xff\xff\x7f\0", 5),
        std::string_view("\1\0\0\0", 4)}) {
    wire::Reader text(bytes);
    CHECK(text.text().empty());
    CHECK_FALSE(text.ok());
    wire::Reader list(bytes);
    CHECK(list.count(wire::kMinText) == 0);
    CHECK_FALSE(list.ok());
  }
}

TEST_CASE("a list is believed up to what its items can fill") {
  std::string bytes("\2\0\0\0", 4);
  bytes.append(2 * wire::kMinText, '\0');
  wire::Reader exact(bytes);
  CHECK(exact.count(wire::kMinText) == 2);
  bytes.pop_back();
  wire::Reader missing(bytes);
  CHECK(missing.count(wire::kMinText) == 0);
  CHECK_FALSE(missing.ok());
}

TEST_CASE("after a bad field every further field is empty") {
  std::string bytes("\0\0\0\0\0\7\7\7\7\7", 10);
  wire::Reader in(bytes);
  CHECK(in.text().empty());
  CHECK(in.ok());
  CHECK(in.integer(8) == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.integer(1) == 0);
  CHECK(in.text().empty());
  CHECK(in.count(1) == 0);
  CHECK_FALSE(in.complete());
}
