#include "config_value.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "base/path.h"
#include "config.h"

namespace {

constexpr std::string_view kHidden = "[hidden]";

// The number in "10G", "500M", "4096"; nothing when it is none.
bool parse_bytes(const std::string& text, std::int64_t& value) {
  char* end = nullptr;
  double number = std::strtod(text.c_str(), &end);
  std::string unit = end;
  static constexpr const char* kUnits[] = {"", "K", "M", "G", "T"};
  for (int i = 0; i < 5; ++i) {
    if (unit == kUnits[i] || unit == std::string(kUnits[i]) + "iB" || unit == std::string(kUnits[i]) + "B") {
      for (int k = 0; k < i; ++k) number *= 1024;
      value = static_cast<std::int64_t>(number);
      return end != text.c_str() && number >= 0 && number < 9e18;
    }
  }
  return false;
}

bool is_number(std::string_view text) {
  std::int64_t value = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size() && value >= 0;
}

bool is_flag(std::string_view text) {
  for (std::string_view known : {"true", "false", "yes", "no", "t", "f", "y", "n", "1", "0"}) {
    if (std::equal(text.begin(), text.end(), known.begin(), known.end(),
                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; })) {
      return true;
    }
  }
  return false;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

// "host", "host:port", "[::1]:port". The port may be left out only where the scheme has one.
bool is_authority(std::string_view text, bool port_needed) {
  if (std::size_t at = text.rfind('@'); at != std::string_view::npos) text.remove_prefix(at + 1);
  std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  std::size_t colon = text.find(':', bracket);
  std::string_view host = text.substr(0, colon);
  if (host.empty() || host == "[]") return false;
  if (colon == std::string_view::npos) return !port_needed;
  std::string_view port = text.substr(colon + 1);
  unsigned number = 0;
  auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && rest == port.data() + port.size() && number >= 1 && number <= 65535;
}

// Nothing when it is well, else what would be right.
std::string wrong_endpoint(std::string_view text) {
  constexpr const char* kRight = "expected grpcs://HOST:PORT, grpc://HOST:PORT or unix:/PATH";
  bool odd = has_control(text) || text.find(' ') != std::string_view::npos;
  if (text.starts_with("unix:")) {
    std::string_view path = text.substr(5);
    return !odd && path.starts_with('/') ? "" : kRight;
  }
  std::size_t scheme = text.find("://");
  std::string_view name = scheme == std::string_view::npos ? "" : text.substr(0, scheme);
  std::string_view rest = scheme == std::string_view::npos ? text : text.substr(scheme + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (odd || (scheme != std::string_view::npos && name != "grpc" && name != "grpcs")) return kRight;
  bool whole = rest.find('/') == std::string_view::npos && is_authority(rest, name != "grpcs");
  return whole ? "" : kRight;
}

std::string wrong_url(std::string_view text) {
  constexpr const char* kRight = "expected https://HOST[:PORT][/PATH] or http://...";
  std::size_t begin = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
  if (begin == 0 || has_control(text) || text.find(' ') != std::string_view::npos) return kRight;
  std::string_view rest = text.substr(begin);
  return is_authority(rest.substr(0, rest.find('/')), false) ? "" : kRight;
}

bool is_header_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string wrong_pairs(const SettingInfo& info, const std::string& text) {
  base::Result<SettingPairs> pairs = parse_pairs(text);
  if (!pairs) return pairs.error().message;
  bool headers = std::string_view(info.type) == "headers";
  for (const auto& pair : *pairs) {
    if (has_control(pair.first) || has_control(pair.second)) return "has control characters";
    if (headers && !is_header_name(pair.first)) return "not a header's name: " + pair.first;
  }
  return {};
}

std::string wrong_choice(const SettingInfo& info, std::string_view value) {
  std::string_view rest = info.choices;
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == value) return {};
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::string list = info.choices;
  for (std::size_t i = list.find(' '); i != std::string::npos; i = list.find(' ', i + 2)) {
    list.replace(i, 1, ", ");
  }
  return "\"" + std::string(value) + "\" is not one of " + list;
}

// Nothing when the value is well, else what is wrong.
std::string wrong_value(const SettingInfo& info, const std::string& value) {
  std::string_view type = info.type;
  if (type == "choice") return wrong_choice(info, value);
  if (type == "number") return is_number(value) ? "" : "not a number: " + value;
  if (type == "flag") return is_flag(value) ? "" : "not true or false: " + value;
  if (type == "endpoint") return wrong_endpoint(value);
  if (type == "url") return wrong_url(value);
  if (type == "pairs" || type == "headers") return wrong_pairs(info, value);
  if (type == "file" && !base::is_absolute(value) && !value.starts_with("~/"))
    return "not an absolute path: " + value;
  return {};
}

}  // namespace

base::Result<std::string> checked_value(const SettingInfo& info, const std::string& value) {
  if (value.empty()) return value;
  if (std::string_view(info.type) == "bytes") {
    std::int64_t number = 0;
    if (!parse_bytes(value, number)) return base::invalid(std::string(info.name) + ": not a size: " + value);
    return std::to_string(number);
  }
  std::string wrong = wrong_value(info, value);
  if (!wrong.empty()) return base::invalid(std::string(info.name) + ": " + wrong);
  return value;
}

base::Result<SettingPairs> parse_pairs(std::string_view text) {
  SettingPairs pairs;
  std::string part;
  auto take = [&] {
    std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) return false;
    pairs.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    part.clear();
    return true;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ',' || text[i + 1] == '\\');
    if (escape) {
      part += text[++i];
    } else if (text[i] != ',') {
      part += text[i];
    } else if (!take()) {
      return base::invalid("expected NAME=VALUE,NAME=VALUE");
    }
  }
  if (!text.empty() && !take()) return base::invalid("expected NAME=VALUE,NAME=VALUE");
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return pairs;
}

std::string print_pairs(const SettingPairs& pairs) {
  std::string text;
  for (const auto& pair : pairs) {
    if (!text.empty()) text += ',';
    for (char c : pair.first + '=' + pair.second) {
      if (c == ',' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text;
}

std::string shown_value(const SettingInfo& info, const std::string& value) {
  std::string_view type = info.type;
  if (type == "headers") {
    base::Result<SettingPairs> pairs = parse_pairs(value);
    if (!pairs) return std::string(kHidden);
    for (auto& pair : *pairs) pair.second = kHidden;
    return print_pairs(*pairs);
  }
  if (type == "command") {
    std::size_t space = value.find(' ');
    return space == std::string::npos ? value : value.substr(0, space + 1) + std::string(kHidden);
  }
  if (type != "endpoint" && type != "url") return value;
  std::size_t scheme = value.find("://");
  std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  std::size_t at = value.substr(0, value.find('/', begin)).rfind('@');
  if (at == std::string::npos || at < begin) return value;
  return value.substr(0, begin) + std::string(kHidden) + value.substr(at);
}
