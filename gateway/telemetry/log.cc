#include "telemetry/log.h"

#include <memory>
#include <string_view>
#include <utility>

#include <spdlog/details/null_mutex.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "telemetry/json_text.h"

namespace switchyard::telemetry {
namespace {

std::string_view View(spdlog::string_view_t text) { return {text.data(), text.size()}; }

void AppendEntry(Line& line, const spdlog::details::log_msg& entry, LogFormat format) {
  const std::string_view level = View(spdlog::level::to_string_view(entry.level));
  if (format == LogFormat::kJson) {
    Append(line, R"({"time":")");
    AppendTime(line, entry.time);
    Append(line, R"(","level":")");
    Append(line, level);
    Append(line, R"(","message":)");
    AppendQuoted(line, View(entry.payload), 16 * 1024);
    Append(line, "}");
    return;
  }
  AppendTime(line, entry.time);
  Append(line, " ");
  Append(line, level);
  Append(line, " ");
  // What servers write to their stderr ends up here: one entry stays one line.
  for (const char c : View(entry.payload)) {
    line.push_back(static_cast<unsigned char>(c) < 0x20 && c != '\t' ? ' ' : c);
  }
}

// The writer has its own lock.
class Sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  Sink(LineWriter& lines, LogFormat format) : lines_(lines), format_(format) {}

 private:
  void sink_it_(const spdlog::details::log_msg& entry) override {
    Line line;
    AppendEntry(line, entry, format_);
    lines_.Append({line.data(), line.size()});
  }
  void flush_() override { lines_.Flush(); }

  LineWriter& lines_;
  const LogFormat format_;
};

}  // namespace

Log::Log(const std::string& level, LogFormat format, int fd) : lines_(fd), format_(format) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<Sink>(lines_, format));
  spdlog::set_default_logger(std::move(logger));
  SetLevel(level);
}

Log::~Log() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", std::move(sink)));
}

void Log::SetLevel(const std::string& level) {
  spdlog::set_level(spdlog::level::from_str(level == "warn" ? "warning" : level));
}

}  // namespace switchyard::telemetry
