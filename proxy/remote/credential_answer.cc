#include "remote/credential_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/base64.h"
#include "base/text.h"

namespace remote {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestAnswer = 64u << 10;
constexpr std::size_t kLargestValue = 16u << 10;
constexpr std::int64_t kDay = 86'400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct DayAndTime {
  int year = 0;
  int month = 0;  // from 1
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;

  bool valid() const {
    return year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 &&
           minute <= 59 && second <= 60;
  }
  // As UTC. The days are counted from 1 March, so that the leap day ends a year.
  std::int64_t seconds() const {
    std::int64_t y = month <= 2 ? year - 1 : year;
    std::int64_t m = month <= 2 ? month + 9 : month - 3;
    std::int64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    constexpr std::int64_t kEpoch = 719'468;
    return (days - kEpoch) * kDay + hour * 3600 + minute * 60 + second;
  }
};

// Takes what is expected off the front of a text; one thing that is not there spoils the whole.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  void literal(char c) {
    if (rest_.empty() || rest_.front() != c) {
      fail();
    } else {
      rest_.remove_prefix(1);
    }
  }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  void skip(char c) {
    while (next_is(c)) rest_.remove_prefix(1);
  }
  void skip_digits() {
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
  }
  std::string_view word() {
    std::size_t end = std::min(rest_.find(' '), rest_.size());
    std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }
  std::string_view rest() const { return rest_; }
  bool good() const { return good_; }

 private:
  int fail() {
    good_ = false;
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

void read_time(Cursor& cursor, DayAndTime& when) {
  when.hour = cursor.number(2);
  cursor.literal(':');
  when.minute = cursor.number(2);
  cursor.literal(':');
  when.second = cursor.number(2);
}

// "+02:00", "-0700", "+02": seconds east.
std::optional<std::int64_t> numeric_zone(std::string_view text) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  Cursor cursor(text.substr(1));
  std::int64_t seconds = cursor.number(2) * 3600;
  if (cursor.next_is(':')) cursor.literal(':');
  if (!cursor.rest().empty()) seconds += cursor.number(2) * 60;
  if (!cursor.good() || !cursor.rest().empty() || seconds > kDay) return std::nullopt;
  return text[0] == '-' ? -seconds : seconds;
}

// Abbreviations that mean one zone to everybody who is likely to print them.
std::optional<std::int64_t> zone(std::string_view name) {
  struct Named {
    const char* name;
    int hours;
  };
  constexpr std::array<Named, 20> kZones = {
      {{"UTC", 0},  {"GMT", 0},  {"Z", 0},    {"UCT", 0},  {"WET", 0},  {"WEST", 1}, {"CET", 1},
       {"CEST", 2}, {"EET", 2},  {"EEST", 3}, {"MSK", 3},  {"JST", 9},  {"EST", -5}, {"EDT", -4},
       {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"AEST", 10}}};
  for (const Named& known : kZones) {
    if (name == known.name) return known.hours * 3600LL;
  }
  return numeric_zone(name);
}

// 2006-01-02T15:04:05.999+02:00
std::int64_t rfc3339(std::string_view text) {
  Cursor cursor(text);
  DayAndTime when;
  when.year = cursor.number(4);
  cursor.literal('-');
  when.month = cursor.number(2);
  cursor.literal('-');
  when.day = cursor.number(2);
  if (cursor.next_is('t') || cursor.next_is(' ')) {
    cursor.literal(cursor.rest().front());
  } else {
    cursor.literal('T');
  }
  read_time(cursor, when);
  if (cursor.next_is('.')) {
    cursor.literal('.');
    cursor.skip_digits();
  }
  std::optional<std::int64_t> east = zone(cursor.rest() == "z" ? "Z" : cursor.rest());
  if (!cursor.good() || !when.valid() || !east) return 0;
  return when.seconds() - *east;
}

int month_of(std::string_view name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::size_t at = name.size() == 3 ? kMonths.find(name) : std::string_view::npos;
  return at == std::string_view::npos || at % 3 != 0 ? 0 : static_cast<int>(at / 3) + 1;
}

// Mon Jan _2 15:04:05 MST 2006, as date(1) prints it in the C locale.
std::int64_t unix_date(std::string_view text) {
  Cursor cursor(text);
  DayAndTime when;
  cursor.word();
  cursor.skip(' ');
  when.month = month_of(cursor.word());
  cursor.skip(' ');
  bool two = cursor.rest().size() > 1 && is_digit(cursor.rest()[1]);
  when.day = cursor.number(two ? 2 : 1);
  cursor.literal(' ');
  read_time(cursor, when);
  cursor.literal(' ');
  std::optional<std::int64_t> east = zone(cursor.word());
  cursor.literal(' ');
  when.year = cursor.number(4);
  if (!cursor.good() || !cursor.rest().empty() || !when.valid() || !east) return 0;
  return when.seconds() - *east;
}

// A time as a JSON value: either form, or seconds since the epoch.
std::int64_t expiry_of(const json& answer, const char* key) {
  auto found = answer.find(key);
  if (found == answer.end()) return 0;
  if (found->is_number_integer()) return std::max<std::int64_t>(0, found->get<std::int64_t>());
  return found->is_string() ? parse_expiry(found->get_ref<const std::string&>()) : 0;
}

// A value that is one text, or several.
std::vector<std::string> texts_of(const json& value) {
  std::vector<std::string> out;
  if (value.is_string()) out.push_back(value.get<std::string>());
  if (value.is_array()) {
    for (const json& one : value) out.push_back(one.is_string() ? one.get<std::string>() : std::string());
  }
  return out;
}

base::Result<Headers> headers_of(const json& answer) {
  Headers headers;
  auto found = answer.find("headers");
  if (found == answer.end() || found->is_null()) return headers;
  if (!found->is_object()) return base::invalid("its headers are no object");
  for (const auto& [name, value] : found->items()) {
    std::string key = base::lower(name);
    std::vector<std::string> texts = texts_of(value);
    if (!is_header_name(key) || texts.empty()) return base::invalid("a header of it is malformed");
    for (const std::string& text : texts) {
      if (!is_header_value(text)) return base::invalid("a header of it is malformed");
      headers.emplace_back(key, text);
    }
  }
  return headers;
}

bool has(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return header.first == name; });
}

}  // namespace

bool is_header_value(std::string_view value) {
  return !value.empty() && value.size() <= kLargestValue &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

std::int64_t parse_expiry(std::string_view text) {
  if (text.size() > 64 || text.size() < 10) return 0;
  return is_digit(text.front()) ? rfc3339(text) : unix_date(text);
}

std::int64_t token_expiry(std::string_view token) {
  if (base::lower(token.substr(0, 7)) == "bearer ") token.remove_prefix(7);
  std::size_t first = token.find('.');
  if (first == std::string_view::npos || token.size() > kLargestValue) return 0;
  std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return 0;
  base::Result<std::string> text = base::from_base64(token.substr(first + 1, second - first - 1));
  if (!text) return 0;
  json claims = json::parse(*text, nullptr, false);
  if (!claims.is_object()) return 0;
  auto found = claims.find("exp");
  if (found == claims.end() || !found->is_number()) return 0;
  // Some issuers write a fraction. What no clock will show is no time.
  double seconds = found->get<double>();
  return seconds > 0 && seconds < 1e11 ? static_cast<std::int64_t>(seconds) : 0;
}

base::Result<Grant> parse_helper_answer(std::string_view text) {
  if (text.size() > kLargestAnswer) return base::invalid("its answer is too long");
  json answer = json::parse(text, nullptr, false);
  if (!answer.is_object()) return base::invalid("its answer is no JSON object");
  base::Result<Headers> headers = headers_of(answer);
  if (!headers) return headers.error();
  Grant grant;
  grant.headers = std::move(*headers);
  auto token = answer.find("token");
  if (token != answer.end() && token->is_string() && !token->get_ref<const std::string&>().empty()) {
    std::string value = "Bearer " + token->get_ref<const std::string&>();
    if (!is_header_value(value)) return base::invalid("its token is malformed");
    if (!has(grant.headers, "authorization")) grant.headers.emplace_back("authorization", std::move(value));
  }
  if (grant.headers.empty()) return base::invalid("its answer has neither a token nor headers");
  std::sort(grant.headers.begin(), grant.headers.end());
  grant.expires_s = expiry_of(answer, "expires");
  if (grant.expires_s == 0) grant.expires_s = expiry_of(answer, "expiry");
  for (const auto& [name, value] : grant.headers) {
    if (grant.expires_s == 0 && name == "authorization") grant.expires_s = token_expiry(value);
  }
  return grant;
}

}  // namespace remote
