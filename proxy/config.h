// The settings: one table of name, type, default and meaning, and the only code that reads the daemon's
// environment and configuration files. Order: GOMA_* environment, then $XDG_CONFIG_HOME/goma/config.json,
// then /etc/goma/config.json, then variables of reclient and Siso, then the default. Comments are allowed in
// the files; an unknown key is an error that names the nearest known one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config_value.h"

struct SettingInfo {
  const char* name;      // in the files
  const char* variable;  // in the environment
  // "text", "number", "bytes", "flag", "choice", "file", "endpoint", "url", "pairs", "headers", "command"
  const char* type;
  const char* fallback;  // as it would be written; "" means computed
  const char* meaning;
  const char* choices = "";  // of a "choice", with spaces between
};

// The whole table, in the order in which it is documented.
const std::vector<SettingInfo>& setting_table();

// One setting as it is in force.
struct SettingValue {
  const SettingInfo* info;
  std::string value;
  std::string origin;  // "default", "environment GOMA_X", "/etc/goma/config.json", "auto"
};

class Config {
 public:
  // Reads everything. `env` holds "NAME=VALUE". An error names the file and the key; the daemon then does not
  // start, and builds go on without it.
  static base::Result<Config> load(const std::vector<std::string>& env);

  // The path in tmp_dir of a file that this daemon has to itself. Daemons on several sockets may share the
  // folder.
  std::string own_path(const char* name) const;

  std::string text(const char* name) const;
  std::int64_t number(const char* name) const;  // 0 when empty
  bool flag(const char* name) const;
  SettingPairs pairs(const char* name) const;  // of "platform" and "headers", sorted by name

  const std::vector<SettingValue>& values() const { return values_; }
  // For the page and `goma_ctl config show`: [{"name","value","origin","meaning"}]. Without secrets.
  std::string json() const;
  // GOMA_* variables that mean nothing here, to be mentioned once.
  const std::vector<std::string>& unknown_variables() const { return unknown_; }

 private:
  base::Result<void> read_file_values(const std::string& path);
  base::Result<void> read_environment(const std::vector<std::string>& env);
  base::Result<void> set(const std::string& name, const std::string& value, const std::string& origin);
  base::Result<void> borrow(const std::vector<std::string>& env);
  // The same, unless something else has set it.
  base::Result<void> set_weakly(const std::string& name, const std::string& value, const std::string& origin);
  base::Result<void> check_together() const;
  void compute_defaults(const std::vector<std::string>& env);
  std::string socket_suffix() const;  // nothing for the default socket

  std::vector<SettingValue> values_;
  std::vector<std::string> unknown_;
};
