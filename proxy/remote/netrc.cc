#include "remote/netrc.h"

#include <utility>

#include "base/base64.h"
#include "remote/credential_answer.h"
#include "remote/credential_file.h"

namespace remote {
namespace {

// The words of the file; macros end with an empty line and hold anything.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  std::optional<std::string> next() {
    while (at_ < text_.size()) {
      if (is_blank(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '#') {
        skip_past("\n");
      } else {
        return text_[at_] == '"' ? quoted() : plain();
      }
    }
    return std::nullopt;
  }
  void skip_macro() { skip_past("\n\n"); }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  void skip_past(std::string_view mark) {
    std::size_t found = text_.find(mark, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + mark.size();
  }
  std::string plain() {
    std::size_t begin = at_;
    while (at_ < text_.size() && !is_blank(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::string quoted() {
    std::string word;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      word += text_[at_];
    }
    if (at_ < text_.size()) ++at_;
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class Netrc : public CredentialSource {
 public:
  Netrc(std::string path, std::string host, base::Files& files)
      : text_(std::move(path), files), host_(std::move(host)) {}

  std::string name() const override { return "netrc"; }

  base::Result<Grant> get(const std::stop_token& /*stop*/) override { return peek(); }

  base::Result<Grant> peek() override {
    base::Result<WatchedText::Version> version = text_.get();
    if (!version) return version.error();
    Grant grant;
    std::optional<Login> login = find_login(version->text, host_);
    if (!login || host_.empty()) return grant;
    grant.headers.emplace_back("authorization", basic_authorization(login->user + ":" + login->password));
    if (!is_header_value(grant.headers[0].second)) {
      return base::invalid(text_.path() + ": the login for " + host_ + " is too long");
    }
    return grant;
  }

 private:
  WatchedText text_;
  const std::string host_;
};

}  // namespace

std::optional<Login> find_login(std::string_view text, std::string_view host) {
  Words words(text);
  std::optional<Login> fallback;
  Login login;
  enum class In { other, ours, unnamed } in = In::other;
  auto keep = [&] {
    if (in == In::unnamed && !fallback && !login.user.empty()) fallback = login;
    return in == In::ours && !login.user.empty();
  };
  while (std::optional<std::string> word = words.next()) {
    if (*word == "machine" || *word == "default") {
      if (keep()) return login;
      login = {};
      in = In::unnamed;
      if (*word == "machine") in = words.next().value_or("") == host ? In::ours : In::other;
    } else if (*word == "login") {
      login.user = words.next().value_or("");
    } else if (*word == "password") {
      login.password = words.next().value_or("");
    } else if (*word == "account") {
      words.next();
    } else if (*word == "macdef") {
      words.skip_macro();
    }
  }
  if (keep()) return login;
  return fallback;
}

std::string basic_authorization(std::string_view user_and_password) {
  return "Basic " + base::to_base64(user_and_password);
}

std::unique_ptr<CredentialSource> make_netrc(std::string path, std::string host, base::Files& files) {
  return std::make_unique<Netrc>(std::move(path), std::move(host), files);
}

}  // namespace remote
