#include "remote/credential_login.h"

#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "remote/credential_answer.h"
#include "remote/credential_file.h"
#include "remote/credential_helper.h"
#include "remote/credential_source.h"

namespace remote {
namespace {

using nlohmann::json;

constexpr const char* kName = "login";

std::string text_of(const json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class LoginSource : public CredentialSource {
 public:
  LoginSource(LoginOptions options, base::Spawner& spawner, base::Files& files, base::Clock& clock)
      : options_(std::move(options)),
        spawner_(spawner),
        files_(files),
        clock_(clock),
        text_(options_.path, files) {}

  std::string name() const override { return "login " + options_.path; }

  base::Result<Grant> get(const std::stop_token& stop) override {
    base::Result<std::shared_ptr<CredentialSource>> source = current();
    if (!source) return source.error();
    return (*source)->get(stop);
  }
  base::Result<Grant> peek() override {
    base::Result<std::shared_ptr<CredentialSource>> source = current();
    if (!source) return source.error();
    return (*source)->peek();
  }
  void refused(const Headers& headers, const std::stop_token& stop) override {
    base::Result<std::shared_ptr<CredentialSource>> source = current();
    if (source) (*source)->refused(headers, stop);
  }

 private:
  // What the file says now. A helper is kept for as long as the file stays the same.
  base::Result<std::shared_ptr<CredentialSource>> current() {
    base::Result<WatchedText::Version> version = text_.get();
    if (!version) return version.error();
    {
      std::lock_guard lock(mutex_);
      if (source_ && number_ == version->number) return source_;
    }
    std::shared_ptr<CredentialSource> next = source_of(*version);
    std::lock_guard lock(mutex_);
    if (source_ && number_ >= version->number) return source_;
    number_ = version->number;
    std::swap(source_, next);  // the old one ends after the lock
    return source_;
  }

  std::shared_ptr<CredentialSource> source_of(const WatchedText::Version& version) {
    if (!version.there) return std::make_shared<FixedSource>(kName, Grant{});
    base::Result<LoginFile> login = parse_login(version.text);
    if (!login) {
      return std::make_shared<FixedSource>(
          kName, base::invalid("the login " + options_.path + ": " + login.error().message));
    }
    if (!login->helper.empty()) {
      return make_credential_helper({login->helper, options_.env, options_.uri}, spawner_, clock_);
    }
    if (!login->token_file.empty()) return make_credential_file(login->token_file, files_);
    Grant grant;
    if (!login->token.empty()) {
      grant.headers.emplace_back("authorization", "Bearer " + login->token);
      grant.expires_s = login->expires_s != 0 ? login->expires_s : token_expiry(login->token);
    }
    return std::make_shared<FixedSource>(kName, std::move(grant));
  }

  const LoginOptions options_;
  base::Spawner& spawner_;
  base::Files& files_;
  base::Clock& clock_;
  WatchedText text_;
  std::mutex mutex_;
  std::shared_ptr<CredentialSource> source_;  // guarded by mutex_
  std::uint64_t number_ = 0;                  // guarded by mutex_; the version of the text that made source_
};

}  // namespace

base::Result<LoginFile> parse_login(std::string_view text) {
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return base::invalid("it is no JSON object");
  LoginFile login;
  login.token = text_of(object, "token");
  if (!login.token.empty() && !is_header_value(login.token)) return base::invalid("its token is malformed");
  login.token_file = text_of(object, "token_file");
  if (!login.token_file.empty() && login.token_file.front() != '/') {
    return base::invalid("its token_file is no absolute path");
  }
  auto helper = object.find("helper");
  if (helper != object.end() && helper->is_array()) {
    for (const json& word : *helper) {
      login.helper.push_back(word.is_string() ? word.get<std::string>() : std::string());
    }
  }
  if (!login.helper.empty() && !login.helper.front().starts_with('/')) {
    return base::invalid("its helper is no absolute path");
  }
  if (!login.token.empty() + !login.token_file.empty() + !login.helper.empty() > 1) {
    return base::invalid("it has more than one of token, token_file and helper");
  }
  auto expires = object.find("expires");
  if (expires != object.end() && expires->is_number_integer()) {
    login.expires_s = std::max<std::int64_t>(0, expires->get<std::int64_t>());
  }
  return login;
}

std::unique_ptr<CredentialSource> make_login(LoginOptions options, base::Spawner& spawner, base::Files& files,
                                             base::Clock& clock) {
  return std::make_unique<LoginSource>(std::move(options), spawner, files, clock);
}

}  // namespace remote
