#include "mcp/sse_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace switchyard::mcp {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kLongestName = 5;  // "event", "retry"

// Line ends in one fed buffer. Each byte is searched once for LF and once for CR, however many
// lines there are.
class Breaks {
 public:
  explicit Breaks(std::string_view bytes) : bytes_(bytes) {}

  std::size_t NextFrom(std::size_t at) {
    if (lf_ < at || !started_) lf_ = std::min(bytes_.find('\n', at), bytes_.size());
    if (cr_ < at || !started_) cr_ = std::min(bytes_.find('\r', at), bytes_.size());
    started_ = true;
    return std::min(lf_, cr_);
  }

 private:
  std::string_view bytes_;
  std::size_t lf_ = 0, cr_ = 0;
  bool started_ = false;
};

}  // namespace

Result<void> SseParser::Feed(std::string_view bytes) {
  Breaks breaks(bytes);
  std::size_t at = 0;
  while (at < bytes.size() && !failed_) {
    if (std::exchange(skip_lf_, false) && bytes[at] == '\n') {
      ++at;
      continue;
    }
    const std::size_t end = breaks.NextFrom(at);
    failed_ = !TakePiece(bytes.substr(at, end - at));
    at = end;
    if (failed_ || at == bytes.size()) break;
    skip_lf_ = bytes[at++] == '\r';
    failed_ = where_ <= Where::kName && !name_.empty() && !StartField();
    EndLine();
  }
  if (!failed_) return {};
  return Failure(Code::kTooLarge, Origin::kServer,
                 "event stream: an event is larger than " + std::to_string(max_event_bytes_) +
                     " bytes or a field than " + std::to_string(kMaxFieldBytes));
}

std::optional<SseEvent> SseParser::Next() {
  if (next_ready_ == ready_.size()) return std::nullopt;
  std::optional<SseEvent> event = std::move(ready_[next_ready_++]);
  if (next_ready_ == ready_.size()) {
    ready_.clear();
    next_ready_ = 0;
  }
  return event;
}

bool SseParser::TakePiece(std::string_view piece) {
  while (!piece.empty()) {
    switch (where_) {
      case Where::kBom: TakeBom(piece); break;
      case Where::kName:
        if (!TakeName(piece)) return false;
        break;
      case Where::kSpace:
        if (piece.front() == ' ') piece.remove_prefix(1);
        where_ = Where::kValue;
        break;
      case Where::kValue: return TakeValue(piece);
    }
  }
  return true;
}

void SseParser::TakeBom(std::string_view& piece) {
  if (piece.front() != kBom[name_.size()]) {
    where_ = Where::kName;  // what looked like its beginning was a name's
    return;
  }
  name_ += piece.front();
  piece.remove_prefix(1);
  if (name_.size() < kBom.size()) return;
  name_.clear();
  where_ = Where::kName;
}

bool SseParser::TakeName(std::string_view& piece) {
  const std::size_t colon = std::min(piece.find(':'), piece.size());
  // One byte more than any known name is enough to tell that it is none.
  name_.append(piece.substr(0, std::min(colon, kLongestName + 1 - name_.size())));
  piece.remove_prefix(colon);
  if (piece.empty()) return true;
  piece.remove_prefix(1);
  where_ = Where::kSpace;
  return StartField();
}

bool SseParser::StartField() {
  field_ = Field::kIgnored;
  if (name_ == "event") field_ = Field::kEvent;
  if (name_ == "id") field_ = Field::kId;
  if (name_ == "retry") field_ = Field::kRetry;
  if (name_ != "data") return true;
  field_ = Field::kData;
  // The standard ends every data line with LF and drops the last one: the same, without the drop.
  if (!std::exchange(has_data_, true)) return true;
  data_ += '\n';
  return data_.size() <= max_event_bytes_;
}

bool SseParser::TakeValue(std::string_view piece) {
  if (field_ == Field::kIgnored) return true;
  const bool is_data = field_ == Field::kData;
  std::string& target = is_data ? data_ : value_;
  if (piece.size() > (is_data ? max_event_bytes_ : kMaxFieldBytes) - target.size()) return false;
  target.append(piece);
  return true;
}

void SseParser::EndLine() {
  if (where_ <= Where::kName && name_.empty()) EndEvent();
  if (field_ == Field::kEvent) event_ = value_;
  if (field_ == Field::kId && value_.find('\0') == std::string::npos) last_id_ = id_ = value_;
  if (field_ == Field::kRetry) {
    unsigned retry = 0;
    const char* const end = value_.data() + value_.size();
    const auto [stop, problem] = std::from_chars(value_.data(), end, retry);
    if (problem == std::errc() && stop == end) retry_ms_ = event_retry_ms_ = retry;
  }
  field_ = Field::kIgnored;
  where_ = Where::kName;
  name_.clear();
  value_.clear();
}

void SseParser::EndEvent() {
  if (has_data_) {
    ready_.push_back(SseEvent{.event = std::move(event_),
                              .data = std::move(data_),
                              .id = std::move(id_),
                              .retry_ms = event_retry_ms_});
  }
  has_data_ = false;
  event_retry_ms_.reset();
  event_.clear();
  data_.clear();
  id_.clear();
}

}  // namespace switchyard::mcp
