// What the config tests share: an environment of their own, the policies' keys, the golden table.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/environment.h"
#include "config/section.h"
#include "support/paths.h"

namespace switchyard::config {

class FakeEnvironment : public Environment {
 public:
  std::map<std::string, std::string> variables = {
      {"TOKEN", "s3cret"}, {"PORT", "9000"}, {"EMPTY", ""}};
  std::map<std::string, std::string> files = {{"/run/key", "file-s3cret\n"}};

  std::optional<std::string> Get(const std::string& name) const override {
    auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }
  std::expected<std::string, std::string> ReadFile(const std::string& path) const override {
    auto found = files.find(path);
    if (found == files.end()) return std::unexpected("no such file or directory");
    return found->second;
  }
};

// Stand-ins with the keys of the real policies.
struct FakeTimeout {
  std::chrono::nanoseconds total = std::chrono::seconds(60);
};
struct FakeConcurrency {
  std::int64_t max_in_flight = 64;
  std::int64_t queue = 256;
  std::chrono::nanoseconds queue_timeout = std::chrono::seconds(5);
};

template <class T, class Read>
PolicyKey FakePolicy(std::string name, Read read) {
  return {std::move(name), [read](Section section, const void* inherited) {
            auto settings = std::make_shared<T>();
            if (inherited != nullptr) *settings = *static_cast<const T*>(inherited);
            read(section, *settings);
            return std::shared_ptr<const void>(std::move(settings));
          }};
}

inline std::vector<PolicyKey> FakePolicies() {
  return {FakePolicy<int>("telemetry", [](Section&, int&) {}),
          FakePolicy<FakeTimeout>("timeout",
                                  [](Section& section, FakeTimeout& out) {
                                    if (auto t = section.Duration("total")) out.total = *t;
                                  }),
          FakePolicy<FakeConcurrency>("concurrency", [](Section& section, FakeConcurrency& out) {
            constexpr std::int64_t kMost = 1'000'000;
            if (auto n = section.Integer("max_in_flight", 0, kMost)) out.max_in_flight = *n;
            if (auto n = section.Integer("queue", 0, kMost)) out.queue = *n;
            if (auto t = section.Duration("queue_timeout")) out.queue_timeout = *t;
          })};
}

// One row of tests/golden/config/bad_documents.txt; its format stands at the top of that file.
struct BadDocument {
  std::string name;
  std::string schema;  // "schema refuses", "schema accepts" or "unreadable"
  std::string text;
  std::vector<std::string> expected;
};

inline std::string ReadSource(const std::string& path) {
  std::ifstream in(std::filesystem::path(::switchyard::paths::SourceDir()) / path,
                   std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

inline std::vector<BadDocument> BadDocuments() {
  std::vector<BadDocument> out;
  std::istringstream in(ReadSource("tests/golden/config/bad_documents.txt"));
  bool in_text = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      const std::size_t bar = line.find(" | ");
      out.push_back({line.substr(4, bar - 4), line.substr(bar + 3), "", {}});
      in_text = true;
    } else if (out.empty() || (!in_text && line.empty())) {
      continue;
    } else if (line == "---") {
      in_text = false;
    } else if (in_text) {
      out.back().text += (line == "---8<---" ? "---" : line) + "\n";
    } else {
      out.back().expected.push_back(line);
    }
  }
  return out;
}

}  // namespace switchyard::config
