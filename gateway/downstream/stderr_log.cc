#include "downstream/stderr_log.h"

#include <array>
#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <spdlog/spdlog.h>

namespace switchyard::downstream {

Task<void> StderrLog::Run(std::shared_ptr<StderrLog> log, Executor executor, Fd errors) {
  net::posix::basic_stream_descriptor<Executor> pipe(executor, errors.Release());
  std::array<char, 4096> bytes;
  boost::system::error_code error;
  for (;;) {
    const std::size_t got =
        co_await pipe.async_read_some(net::buffer(bytes), net::redirect_error(use_task, error));
    if (error == net::error::operation_aborted) co_return;
    if (error) break;
    log->Take({bytes.data(), got});
  }
  if (!log->line_.empty()) log->EndLine();
}

void StderrLog::Take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t newline = std::min(bytes.find('\n'), bytes.size());
    const std::size_t fits = std::min(newline, kMaxLine - line_.size());
    line_.append(bytes.substr(0, fits));
    if (newline == bytes.size()) return;
    EndLine();
    bytes.remove_prefix(newline + 1);
  }
}

void StderrLog::EndLine() {
  while (!line_.empty() && line_.back() == '\r') line_.pop_back();
  const TimePoint now = clock_.Now();
  if (now - second_ >= std::chrono::seconds(1)) {
    if (dropped_ > 0) spdlog::warn("server {}: stderr: {} lines dropped", server_, dropped_);
    second_ = now;
    lines_ = 0;
    dropped_ = 0;
  }
  if (line_.empty()) return;
  if (++lines_ <= kMaxLinesPerSecond) {
    spdlog::info("server {}: stderr: {}", server_, line_);
  } else {
    ++dropped_;
  }
  last_ = std::exchange(line_, std::string());
}

}  // namespace switchyard::downstream
