#include "remote/credentials_chain.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "base/text.h"
#include "remote/credential_answer.h"
#include "remote/credential_file.h"
#include "remote/credential_helper.h"
#include "remote/credential_login.h"
#include "remote/credential_source.h"
#include "remote/netrc.h"

namespace remote {
namespace {

// Each task asks several times which credentials are in force; files need no look each time.
constexpr std::chrono::milliseconds kGlanceInterval{100};

using Sources = std::vector<std::unique_ptr<CredentialSource>>;

class Chain : public Credentials {
 public:
  Chain(Headers headers, Sources sources, std::string insecure, base::Clock& clock)
      : headers_(std::move(headers)),
        sources_(std::move(sources)),
        insecure_(std::move(insecure)),
        clock_(clock) {}

  base::Result<Current> current(const std::stop_token& stop) override {
    Found found;
    for (const auto& source : sources_) {
      if (!insecure_.empty() || found.has_grant) break;
      base::Result<Grant> grant = source->get(stop);
      if (!grant && grant.error().kind == base::ErrorKind::cancelled) return grant.error();
      found.take(*source, grant);
    }
    return settle(std::move(found));
  }

  bool refused(std::uint64_t version, const std::stop_token& stop) override {
    Headers headers;
    {
      std::lock_guard lock(mutex_);
      if (version != version_) return version < version_;
      refused_version_ = version;
      headers = granted_;
    }
    for (const auto& source : sources_) source->refused(headers, stop);
    base::Result<Current> now = current(stop);
    return now && now->version != version && !now->headers.empty();
  }

  std::uint64_t version() override {
    {
      std::lock_guard lock(mutex_);
      if (looked_ && clock_.uptime() - *looked_ < kGlanceInterval) return version_;
    }
    return settle(peek()).version;
  }

  CredentialState state() override {
    settle(peek());
    const std::int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall()).count();
    std::lock_guard lock(mutex_);
    CredentialState state = state_;
    bool expired = state.expires_s != 0 && state.expires_s <= now_s;
    if (expired) state.problem = "the credentials have expired";
    // Some servers say so when one right is missing, too: that alone does not make them useless.
    if (!sent_.empty() && !expired && refused_version_ == version_) {
      state.problem = "the server refused the credentials for something";
    }
    state.usable = !sent_.empty() && !expired;
    state.sent = !sent_.empty();
    return state;
  }

 private:
  struct Found {
    Grant grant;
    bool has_grant = false;
    std::string source;
    std::string problem;  // of the first source that had one

    void take(const CredentialSource& from, const base::Result<Grant>& got) {
      if (!got) {
        if (problem.empty()) problem = got.error().message;
        if (source.empty()) source = from.name();
      } else if (!got->headers.empty()) {
        grant = *got;
        has_grant = true;
        source = from.name();
      }
    }
  };

  Found peek() {
    Found found;
    for (const auto& source : sources_) {
      if (!insecure_.empty() || found.has_grant) break;
      found.take(*source, source->peek());
    }
    return found;
  }

  // Makes it the state, under another number when the headers are others than before.
  Current settle(Found found) {
    Headers all;
    if (insecure_.empty()) {
      for (const auto& header : headers_) {
        bool replaced = std::any_of(found.grant.headers.begin(), found.grant.headers.end(),
                                    [&](const auto& granted) { return granted.first == header.first; });
        if (!replaced) all.push_back(header);
      }
      all.insert(all.end(), found.grant.headers.begin(), found.grant.headers.end());
    }
    std::lock_guard lock(mutex_);
    looked_ = clock_.uptime();
    if (all != sent_) {
      sent_ = std::move(all);
      granted_ = found.grant.headers;
      ++version_;
    }
    state_.configured = !headers_.empty() || found.has_grant || !found.problem.empty() || !insecure_.empty();
    state_.source = !found.source.empty() ? found.source : headers_.empty() ? "none" : "headers";
    state_.expires_s = found.grant.expires_s;
    state_.problem = insecure_.empty() ? found.problem : insecure_;
    return {sent_, version_};
  }

  const Headers headers_;
  const Sources sources_;
  const std::string insecure_;  // why nothing may be sent; empty when it may
  base::Clock& clock_;
  std::mutex mutex_;
  Headers sent_;                             // guarded by mutex_
  Headers granted_;                          // guarded by mutex_; those of sent_ that a source gave
  std::uint64_t version_ = 1;                // guarded by mutex_
  std::optional<base::Nanoseconds> looked_;  // guarded by mutex_; when the sources were, uptime
  std::uint64_t refused_version_ = 0;        // guarded by mutex_
  CredentialState state_;                    // guarded by mutex_; `usable` is left to state()
};

// The absolute path of a program, by PATH where it is a mere name; empty when there is none.
std::string program_of(const std::string& name, const std::vector<std::string>& env, base::Files& files) {
  if (name.find('/') != std::string::npos) return name.front() == '/' ? name : std::string();
  std::string_view path;
  for (const std::string& variable : env) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  while (!path.empty()) {
    std::size_t colon = std::min(path.find(':'), path.size());
    std::string candidate = std::string(path.substr(0, colon)) + "/" + name;
    path.remove_prefix(std::min(colon + 1, path.size()));
    if (candidate.front() != '/') continue;
    base::Result<base::FileStat> stat = files.stat(candidate);
    if (stat && stat->type == base::FileType::regular && (stat->mode & 0111) != 0) return candidate;
  }
  return {};
}

std::unique_ptr<CredentialSource> helper_of(const CredentialOptions& options, const std::string& uri,
                                            base::Spawner& spawner, base::Files& files, base::Clock& clock) {
  HelperOptions helper;
  helper.argv = words_of(options.helper);
  helper.env = options.env;
  helper.uri = uri;
  std::string name = helper.argv.empty() ? options.helper : helper.argv[0];
  std::string program = helper.argv.empty() ? std::string() : program_of(name, options.env, files);
  if (program.empty()) {
    return std::make_unique<FixedSource>(
        "helper " + name,
        base::invalid("the credential helper " + name + " is no absolute path and not in PATH"));
  }
  helper.argv[0] = program;
  return make_credential_helper(std::move(helper), spawner, clock);
}

// True where "name=" stands, blanks before it allowed.
bool begins_header(std::string_view text) {
  std::size_t equals = text.find_first_of("=,");
  return equals != std::string_view::npos && text[equals] == '=' &&
         is_header_name(base::lower(base::trimmed(text.substr(0, equals))));
}

}  // namespace

base::Result<Headers> parse_header_list(std::string_view text) {
  Headers headers;
  while (!base::trimmed(text).empty()) {
    std::size_t equals = text.find('=');
    std::string name = base::lower(base::trimmed(text.substr(0, equals)));
    if (equals == std::string_view::npos || !is_header_name(name)) {
      return base::invalid("headers: expected name=value, name=value");
    }
    std::size_t end = equals;
    do {
      end = std::min(text.find(',', end + 1), text.size());
    } while (end < text.size() && !begins_header(text.substr(end + 1)) &&
             !base::trimmed(text.substr(end + 1)).empty());
    std::string_view typed = text.substr(equals + 1, end - equals - 1);
    std::string_view value = base::trimmed(typed);
    // A line end is never meant, not even around a value.
    bool usable = typed.find_first_of("\r\n") == std::string_view::npos && is_header_value(value);
    if (!usable) return base::invalid("headers: the value of " + name + " is unusable");
    headers.emplace_back(std::move(name), std::string(value));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return headers;
}

std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  bool inside = false;
  char quote = '\0';
  for (std::size_t i = 0; i < command.size(); ++i) {
    char c = command[i];
    if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      words.back() += command[++i];
    } else if (quote != '\0' ? c == quote : c == '\'' || c == '"') {
      quote = quote == '\0' ? c : '\0';
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::unique_ptr<Credentials> make_credentials(const CredentialOptions& options, base::Spawner& spawner,
                                              base::Files& files, base::Clock& clock) {
  const std::string uri = "https://" + options.host + "/";
  Sources sources;
  base::Result<Headers> headers = parse_header_list(options.headers);
  if (!headers) sources.push_back(std::make_unique<FixedSource>("headers", headers.error()));
  // What stands in the address is meant for it alone; the rest is everybody's, and may be of another server.
  if (!options.user.empty()) {
    Grant grant;
    grant.headers = {{"authorization", basic_authorization(options.user)}};
    sources.push_back(std::make_unique<FixedSource>("URL", std::move(grant)));
  }
  if (!options.authorization_file.empty()) {
    sources.push_back(make_credential_file(options.authorization_file, files));
  }
  if (!options.helper.empty()) sources.push_back(helper_of(options, uri, spawner, files, clock));
  bool explicitly = !options.headers.empty() || !sources.empty();
  if (!options.login_path.empty()) {
    sources.push_back(make_login({options.login_path, options.env, uri}, spawner, files, clock));
  }
  if (!options.netrc_path.empty()) sources.push_back(make_netrc(options.netrc_path, options.host, files));
  std::string insecure;
  if (!options.secure) {
    insecure = "credentials are not sent in clear to " + options.host + ": use TLS";
    // Where nothing was meant for this endpoint there is nothing to complain of.
    if (!explicitly) {
      sources.clear();
      insecure.clear();
    }
  }
  return std::make_unique<Chain>(headers ? std::move(*headers) : Headers{}, std::move(sources),
                                 std::move(insecure), clock);
}

}  // namespace remote
