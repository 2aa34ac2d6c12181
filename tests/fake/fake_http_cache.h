// A server of the HTTP cache protocol behind a FakeHttp: what is stored, and how it is asked for more than
// the protocol promises (rights, compression, a full disk).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/digest.h"
#include "base/zstd.h"
#include "fake/fake_http.h"

namespace fake {

class FakeHttpCache {
 public:
  static constexpr const char* kUrl = "http://127.0.0.1:8080/cache";

  FakeHttpCache() {
    http.answer_others([this](const base::HttpCall& call) { return serve(call); });
  }

  FakeHttp http;
  // Looks at a call first; a status of 0 lets it pass. Set before the first call.
  std::function<base::Result<base::HttpAnswer>(const base::HttpCall&)> guard;
  bool zstd = false;          // answers compressed where that is accepted, and takes compressed blobs
  bool refuses_zstd = false;  // but not on PUT

  void put(const std::string& path, std::string bytes) {
    std::lock_guard lock(mutex_);
    stored_[path] = std::move(bytes);
  }
  base::Digest put_blob(const std::string& bytes) {
    base::Digest digest = base::digest_of(bytes);
    put("/cas/" + digest.hex(), bytes);
    return digest;
  }
  // Empty when there is nothing.
  std::string get(const std::string& path) {
    std::lock_guard lock(mutex_);
    auto found = stored_.find(path);
    return found == stored_.end() ? std::string() : found->second;
  }
  bool has(const base::Digest& digest) {
    std::lock_guard lock(mutex_);
    return stored_.count("/cas/" + digest.hex()) != 0;
  }
  // "METHOD /ac/HEX" of each call but the probe.
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    const std::string probe = "HEAD /cas/" + base::digest_of("").hex();
    for (const base::HttpCall& call : http.calls()) {
      std::string line = call.method + " " + path_of(call);
      if (line != probe) out.push_back(std::move(line));
    }
    return out;
  }

 private:
  static std::string path_of(const base::HttpCall& call) { return call.url.substr(std::string(kUrl).size()); }

  base::Result<base::HttpAnswer> serve(const base::HttpCall& call) {
    if (guard) {
      base::Result<base::HttpAnswer> answer = guard(call);
      if (!answer || answer->status != 0) return answer;
    }
    return call.method == "PUT" ? take(call) : give(call);
  }
  base::HttpAnswer take(const base::HttpCall& call) {
    std::string bytes = call.body;
    if (header_of(call, "content-encoding") == "zstd") {
      if (refuses_zstd) return http_answer(400);
      base::Result<std::string> plain = base::zstd_decompress(bytes, 1u << 30);
      if (!plain || std::to_string(plain->size()) != header_of(call, "x-digest-sizebytes")) {
        return http_answer(400);
      }
      bytes = std::move(*plain);
    }
    std::lock_guard lock(mutex_);
    bool there = stored_.count(path_of(call)) != 0;
    stored_[path_of(call)] = std::move(bytes);
    return http_answer(there ? 204 : 201);
  }
  base::HttpAnswer give(const base::HttpCall& call) {
    std::lock_guard lock(mutex_);
    auto found = stored_.find(path_of(call));
    if (found == stored_.end()) return http_answer(404, "not found");
    if (call.method == "HEAD") return http_answer(200);
    if (zstd && header_of(call, "accept-encoding").find("zstd") != std::string::npos) {
      return http_answer(200, *base::zstd_compress(found->second, 1), {{"content-encoding", "zstd"}});
    }
    return http_answer(200, found->second);
  }

  std::mutex mutex_;
  std::map<std::string, std::string> stored_;
};

}  // namespace fake
