#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string_view>

#include "base/gate.h"
#include "base/http.h"
#include "base/text.h"

// Each call runs on its caller's thread with a slot of its own: an easy handle and a multi handle that keeps
// its connections. A multi handle can be woken from another thread, which is how a stop ends a call at once.
// Slots share what is known of names and TLS sessions; sharing connections between threads is not something
// that libcurl promises.

namespace base {
namespace {

constexpr int kMostRedirects = 5;
constexpr std::size_t kMostHeaderBytes = 64u << 10;
constexpr long kIdleSeconds = 60;   // servers close idle connections after about as long
constexpr long kLifeSeconds = 600;  // so that changed certificates come into force

// The parts of a URL that decide where a call goes and what may be said about it.
struct Place {
  std::string url;
  std::string scheme;
  std::string host;
  std::string origin;  // "scheme://host:port", for comparing and for messages

  bool loopback() const {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.") || host.ends_with(".localhost");
  }
};

std::string part_of(CURLU* parsed, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(parsed, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

// `relative` is taken as seen from `url`, when not empty.
Result<Place> place_of(const std::string& url, const std::string& relative = {}) {
  CURLU* parsed = curl_url();
  if (parsed == nullptr) return Error{ErrorKind::transient, "out of memory"};
  CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0);
  if (code == CURLUE_OK && !relative.empty()) {
    code = curl_url_set(parsed, CURLUPART_URL, relative.c_str(), 0);
  }
  Place place;
  bool has_user = false;
  if (code == CURLUE_OK) {
    place.url = part_of(parsed, CURLUPART_URL);
    place.scheme = part_of(parsed, CURLUPART_SCHEME);
    place.host = base::lower(part_of(parsed, CURLUPART_HOST));
    place.origin =
        place.scheme + "://" + place.host + ":" + part_of(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    has_user = !part_of(parsed, CURLUPART_USER).empty() || !part_of(parsed, CURLUPART_PASSWORD).empty();
  }
  curl_url_cleanup(parsed);
  // The URL itself is not shown: it may hold a password.
  if (code != CURLUE_OK) return invalid(std::string("unusable URL: ") + curl_url_strerror(code));
  if (place.scheme != "http" && place.scheme != "https") {
    return invalid("unusable URL: " + place.scheme + ":// is neither http:// nor https://");
  }
  if (has_user) return invalid("unusable URL: user and password belong into a header");
  return place;
}

struct Slot {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  char error[CURL_ERROR_SIZE] = {};

  Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
};

// What the callbacks of one transfer fill.
struct Transfer {
  HttpAnswer answer;
  std::size_t largest = 0;
  std::size_t header_bytes = 0;
  bool too_long = false;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::size_t bytes = size * count;
  if (bytes > transfer.largest - std::min(transfer.largest, transfer.answer.body.size())) {
    transfer.too_long = true;
    return 0;
  }
  transfer.answer.body.append(data, bytes);
  return bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(data, size * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kMostHeaderBytes) {
    transfer.too_long = true;
    return 0;
  }
  // Of several heads (100 Continue comes before the real one) the last counts.
  if (line.starts_with("HTTP/")) transfer.answer.headers.clear();
  std::size_t colon = line.find(':');
  if (!line.starts_with("HTTP/") && colon != std::string_view::npos) {
    transfer.answer.headers.emplace_back(base::lower(line.substr(0, colon)),
                                         std::string(base::trimmed(line.substr(colon + 1))));
  }
  return line.size();
}

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }

  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_, line.c_str());
    if (longer != nullptr) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

Result<void> fill_headers(const HttpCall& call, bool own_host, HeaderList& list) {
  bool has_type = false;
  for (const auto& [name, value] : call.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return invalid("the header " + name.substr(0, name.find_first_of("\r\n")) + " holds a line break");
    }
    if (!own_host) continue;
    has_type = has_type || base::lower(name) == "content-type";
    list.add(value.empty() ? name + ";" : name + ": " + value);
  }
  bool has_body = call.method == "PUT" || call.method == "POST";
  if (has_body && !has_type) list.add("Content-Type: application/octet-stream");
  return {};
}

// Nothing else of the URL is said: its path may hold what is private.
std::string at(const Place& place) { return " (" + place.origin + ")"; }

std::string milliseconds(std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; }

bool was_connected(CURL* easy) {
  curl_off_t connect_us = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connect_us);
  return connect_us > 0;
}

// The failure in words that tell the name, the way, the certificate and the answer apart.
Error error_of(CURLcode code, const Slot& slot, const HttpCall& call, const Place& place) {
  const std::string detail = slot.error[0] != '\0' ? slot.error : curl_easy_strerror(code);
  long os_error = 0;
  curl_easy_getinfo(slot.easy, CURLINFO_OS_ERRNO, &os_error);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {ErrorKind::io, "no address for the name " + place.host + at(place)};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorKind::io, "no address for the name of the proxy" + at(place)};
    case CURLE_COULDNT_CONNECT:
      if (os_error == ECONNREFUSED) return {ErrorKind::io, "connection refused" + at(place)};
      return {ErrorKind::io, "no connection: " + detail + at(place)};
    case CURLE_OPERATION_TIMEDOUT:
      if (!was_connected(slot.easy)) {
        return {ErrorKind::io,
                "no connection within " + milliseconds(std::min(call.connect_limit, call.limit)) + at(place)};
      }
      return {ErrorKind::transient, "no whole answer within " + milliseconds(call.limit) + at(place)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return {ErrorKind::rejected, "TLS: the server's certificate is not trusted: " + detail + at(place)};
    case CURLE_SSL_CACERT_BADFILE:
      return invalid("TLS: the file of trusted certificates cannot be used: " + detail + at(place));
    case CURLE_SSL_CERTPROBLEM:
      return invalid("TLS: the client certificate or its key cannot be used: " + detail + at(place));
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorKind::transient, "TLS: no handshake: " + detail + at(place)};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return invalid("unusable URL: " + detail);
    default:
      return {ErrorKind::transient, "the connection was lost: " + detail + at(place)};
  }
}

class CurlHttp : public Http {
 public:
  explicit CurlHttp(int connections) : gate_(std::max(1, connections)), share_(curl_share_init()) {
    curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
    curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, &CurlHttp::lock);
    curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &CurlHttp::unlock);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  ~CurlHttp() override {
    idle_.clear();
    curl_share_cleanup(share_);
  }

  Result<HttpAnswer> call(const HttpCall& call, const std::stop_token& stop) override {
    Result<Place> place = place_of(call.url);
    if (!place) return place.error();
    Result<Pass> pass = gate_.enter_within(call.limit, stop);
    if (!pass) return pass.error();
    std::unique_ptr<Slot> slot = take_slot();
    if (slot->easy == nullptr || slot->multi == nullptr) {
      return Error{ErrorKind::transient, "out of memory"};
    }
    const std::string origin = place->origin;
    Result<HttpAnswer> answer = transfer(*slot, call, *place, true, stop);
    for (int i = 0; i < kMostRedirects && answer && wants_redirect(call, *answer); ++i) {
      Result<Place> next = place_of(place->url, answer->header("location"));
      // One who could read what came over TLS may not be handed what comes in clear.
      if (!next || (place->scheme == "https" && next->scheme != "https")) break;
      place = std::move(next);
      answer = transfer(*slot, call, *place, place->origin == origin, stop);
    }
    give_back(std::move(slot));
    return answer;
  }

 private:
  static bool wants_redirect(const HttpCall& call, const HttpAnswer& answer) {
    if (!call.follow || call.method != "GET" || answer.header("location").empty()) return false;
    int status = answer.status;
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  static void lock(CURL* /*easy*/, curl_lock_data data, curl_lock_access /*access*/, void* user) {
    static_cast<CurlHttp*>(user)->share_mutexes_[data].lock();
  }
  static void unlock(CURL* /*easy*/, curl_lock_data data, void* user) {
    static_cast<CurlHttp*>(user)->share_mutexes_[data].unlock();
  }

  // The slot that was used last, since its connection is the likeliest to be alive.
  std::unique_ptr<Slot> take_slot() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Slot>();
    std::unique_ptr<Slot> slot = std::move(idle_.back());
    idle_.pop_back();
    return slot;
  }
  void give_back(std::unique_ptr<Slot> slot) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(slot));
  }

  void set_tls(CURL* easy, const HttpTls& tls, bool own_host) const {
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!tls.ca.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca.c_str());
    if (!own_host || tls.certificate.empty()) return;
    curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.certificate.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, (tls.key.empty() ? tls.certificate : tls.key).c_str());
  }

  static void set_limits(CURL* easy, const HttpCall& call) {
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call.connect_limit.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(std::max<std::int64_t>(1, call.limit.count())));
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kIdleSeconds);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, kLifeSeconds);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, kLifeSeconds);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    // A name service that hangs must not hold up the end of a call.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  }

  static void set_method(CURL* easy, const HttpCall& call) {
    if (call.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (call.method == "GET") {
      curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    }
  }

  Result<HttpAnswer> transfer(Slot& slot, const HttpCall& call, const Place& place, bool own_host,
                              const std::stop_token& stop) {
    HeaderList headers;
    Result<void> filled = fill_headers(call, own_host, headers);
    if (!filled) return filled.error();
    Transfer transfer;
    transfer.largest = call.largest_answer;
    CURL* easy = slot.easy;
    curl_easy_reset(easy);
    slot.error[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot.error);
    curl_easy_setopt(easy, CURLOPT_SHARE, share_);
    curl_easy_setopt(easy, CURLOPT_URL, place.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "goma");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    if (!call.proxy || place.loopback()) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    set_tls(easy, call.tls, own_host);
    set_limits(easy, call);
    set_method(easy, call);
    std::optional<CURLcode> code = perform(slot, stop);
    if (!code) return cancelled();
    if (transfer.too_long) {
      return invalid("the answer is longer than " + std::to_string(call.largest_answer) + " bytes" +
                     at(place));
    }
    if (*code != CURLE_OK) return error_of(*code, slot, call, place);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    return std::move(transfer.answer);
  }

  // Nothing when a stop came first. The transfer's own limits bound it.
  static std::optional<CURLcode> perform(Slot& slot, const std::stop_token& stop) {
    std::stop_callback wake(stop, [multi = slot.multi] { curl_multi_wakeup(multi); });
    CURLMcode added = curl_multi_add_handle(slot.multi, slot.easy);
    int running = added == CURLM_OK ? 1 : 0;
    while (running != 0 && !stop.stop_requested()) {
      if (curl_multi_perform(slot.multi, &running) != CURLM_OK) break;
      if (running != 0) curl_multi_poll(slot.multi, nullptr, 0, 1000, nullptr);
    }
    CURLcode code = CURLE_FAILED_INIT;
    bool done = false;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(slot.multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      done = true;
      code = message->data.result;
    }
    curl_multi_remove_handle(slot.multi, slot.easy);
    if (!done && stop.stop_requested()) return std::nullopt;
    return code;
  }

  Gate gate_;
  std::array<std::mutex, CURL_LOCK_DATA_LAST> share_mutexes_;
  CURLSH* const share_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> idle_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Http> make_http(int connections) {
  // Safe to repeat, from any thread.
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return std::make_unique<CurlHttp>(connections);
}

}  // namespace base
