#include "remote/credential_file.h"

#include "base/text.h"
#include "remote/credential_answer.h"

namespace remote {
namespace {

constexpr std::int64_t kLargestCredential = 64 << 10;

class CredentialFile : public CredentialSource {
 public:
  CredentialFile(std::string path, base::Files& files) : text_(std::move(path), files) {}

  std::string name() const override { return "file " + text_.path(); }

  base::Result<Grant> get(const std::stop_token& /*stop*/) override { return peek(); }

  base::Result<Grant> peek() override {
    base::Result<WatchedText::Version> version = text_.get();
    if (!version) return version.error();
    if (!version->there) return base::invalid("the credential file " + text_.path() + " does not exist");
    base::Result<std::string> value = authorization_of(version->text);
    if (!value) return base::invalid("the credential file " + text_.path() + ": " + value.error().message);
    Grant grant;
    grant.expires_s = token_expiry(*value);
    grant.headers.emplace_back("authorization", std::move(*value));
    return grant;
  }

 private:
  WatchedText text_;
};

}  // namespace

base::Result<WatchedText::Version> WatchedText::get() {
  base::Result<base::FileStat> stat = files_.stat(path_);
  if (!stat) return stat.error();
  {
    std::lock_guard lock(mutex_);
    if (version_.number != 0 && *stat == stat_) return version_;
  }
  Version next;
  next.there = stat->type != base::FileType::absent;
  if (next.there) {
    if (stat->size > kLargestCredential) return base::invalid(path_ + " is larger than any credential");
    base::Result<std::string> text = files_.read(path_);
    if (!text) return text.error();
    next.text = std::move(*text);
  }
  std::lock_guard lock(mutex_);
  next.number = version_.number + 1;
  stat_ = *stat;
  version_ = std::move(next);
  return version_;
}

base::Result<std::string> authorization_of(std::string_view text) {
  text = base::trimmed(text);
  constexpr std::string_view kName = "authorization:";
  if (base::lower(text.substr(0, kName.size())) == kName) text = base::trimmed(text.substr(kName.size()));
  if (text.empty()) return base::invalid("it is empty");
  std::string value(text);
  if (text.find(' ') == std::string_view::npos) value.insert(0, "Bearer ");
  if (!is_header_value(value)) return base::invalid("it is more than one line, or too long");
  return value;
}

std::unique_ptr<CredentialSource> make_credential_file(std::string path, base::Files& files) {
  return std::make_unique<CredentialFile>(std::move(path), files);
}

}  // namespace remote
