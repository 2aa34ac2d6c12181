// Bytes from the socket, read as each message in turn. What decodes is encoded again and must give the same
// bytes: then nothing was invented and nothing overlooked.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/protocol.h"

namespace {

using Writer = wire::Writer<std::string>;

// Flags are one byte of which only zero and not zero matter, so not every payload is in its canonical form.
template <class Get, class Put>
void check(std::string_view payload, Get get, Put put) {
  wire::Reader first(payload);
  auto message = get(first);
  if (!first.complete()) return;
  std::string once;
  Writer writer(once);
  put(writer, message);
  if (once.size() != payload.size()) std::abort();
  wire::Reader second(once);
  auto again = get(second);
  if (!second.complete()) std::abort();
  std::string twice;
  Writer rewriter(twice);
  put(rewriter, again);
  if (once != twice) std::abort();
}

std::vector<std::string_view> get_list(wire::Reader& in) {
  std::uint32_t count = in.count(wire::kMinText);
  std::vector<std::string_view> list;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) list.push_back(in.text());
  return list;
}

void put_list(Writer& out, const std::vector<std::string_view>& list) {
  out.count(static_cast<std::uint32_t>(list.size()));
  for (std::string_view text : list) out.text(text);
}

struct Run {
  wire::RunHead head;
  std::vector<std::string_view> argv, outputs;
};

struct Finished {
  wire::FinishedHead head;
  std::vector<wire::OutputIdentity> outputs;
};

Finished get_finished(wire::Reader& in) {
  Finished message{wire::get_finished_head(in), {}};
  std::uint32_t count = in.count(wire::kOutputIdentitySize);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    message.outputs.push_back(wire::get_output_identity(in));
  }
  return message;
}

void put_finished(Writer& out, const Finished& message) {
  wire::put_finished_head(out, message.head);
  out.count(static_cast<std::uint32_t>(message.outputs.size()));
  for (const wire::OutputIdentity& identity : message.outputs) wire::put_output_identity(out, identity);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view payload(reinterpret_cast<const char*>(data), size);
  check(payload, wire::get_compile_head, wire::put_compile_head<std::string>);
  check(payload, wire::get_done, wire::put_done<std::string>);
  check(payload, wire::get_refuse, wire::put_refuse<std::string>);
  check(
      payload,
      [](wire::Reader& in) {
        Run message{wire::get_run_head(in), {}, {}};
        message.argv = get_list(in);
        message.outputs = get_list(in);
        return message;
      },
      [](Writer& out, const Run& message) {
        wire::put_run_head(out, message.head);
        put_list(out, message.argv);
        put_list(out, message.outputs);
      });
  check(payload, get_finished, put_finished);
  return 0;
}
