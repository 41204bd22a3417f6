// What a configuration may read besides its own text: environment variables and files. Passed in,
// so that tests and `check` decide what is there.
#pragma once

#include <expected>
#include <optional>
#include <string>

namespace switchyard::config {

// Safe to use from any thread as long as nobody changes the process environment.
class Environment {
 public:
  static constexpr std::size_t kMaxFile = 1024 * 1024;

  virtual ~Environment() = default;
  virtual std::optional<std::string> Get(const std::string& name) const = 0;
  // The whole file, or in words why not ("no such file or directory"). At most kMaxFile bytes.
  virtual std::expected<std::string, std::string> ReadFile(const std::string& path) const = 0;
};

// The real one.
class ProcessEnvironment : public Environment {
 public:
  std::optional<std::string> Get(const std::string& name) const override;
  std::expected<std::string, std::string> ReadFile(const std::string& path) const override;
};

}  // namespace switchyard::config
