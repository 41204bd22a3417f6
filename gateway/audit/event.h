// What the audit log is told, and whom: one Event for each call that ended, for each request that
// the gateway turned away before it was a call, for each approval that came to its end, and for
// what changes who may do what: accounts, pins, the configuration.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace switchyard::audit {

using WallTime = std::chrono::system_clock::time_point;

// A value. What is empty is left out of the record. Views are of static text.
struct Event {
  enum class Kind : std::uint8_t {
    kCall,
    kRefused,   // by the edge: no or no valid credentials
    kApproval,  // what became of a call's wait for a person, decided or not
    kAccount,   // of a caller at a server, or of the gateway's own: connected or forgotten
    kPin,       // a definition was accepted, quarantined, warned of or unpinned
    kReload,    // another configuration holds from now on
  };
  Kind kind = Kind::kCall;
  WallTime time = {};  // of its end
  Duration duration = {};
  // Who: what they proved, and what the client says of itself.
  std::string issuer = {}, subject = {}, client = {};
  std::string session = {};  // as of SessionName()
  std::string agent = {};
  std::string acting_as = {};  // the agent of the built-in service that the call names
  // What.
  std::string endpoint = {}, server = {}, method = {};
  std::string_view item_key = {};  // of `item`: tool, prompt, resource, task
  std::string item = {};
  std::string digest = {};             // of the arguments
  std::string arguments = {};          // JSON, redacted
  std::size_t arguments_left_out = 0;  // bytes: too many
  std::string definition = {};         // of a pin: the hash of what was listed
  // Of a reload: digests of the configuration now and before, and what of it changed.
  std::string configuration = {}, configuration_before = {}, changed = {};
  // Of a request that was turned away: where it came from, and what kind of credential it showed.
  std::string peer = {};
  std::string_view credential = {};
  std::string key_prefix = {};
  std::uint64_t left_out = 0;  // others like it, since the last record
  // What became of it.
  std::string_view decided_by = {}, decision = {};
  std::string rule = {}, approval = {};
  std::string approver = {};  // who decided that: "client ada", "operator", "gateway", "browser"
  std::string_view outcome = {}, code = {};
  std::string reason = {};
  std::string answered_by = {};
  unsigned attempts = 1;
  std::optional<std::int64_t> calls = {}, bytes = {}, tokens = {}, money = {}, milliseconds = {};
  std::string trace = {};
};

// How a session is named in records: its id would let whoever reads the log take it over.
std::string SessionName(std::string_view id);

// Thread-safe; nothing of it blocks.
class Sink {
 public:
  enum class Admission : std::uint8_t {
    kOff,      // nothing is recorded
    kGranted,  // there is room for its record
    kRefused,  // it cannot be recorded, so it must not run
  };

  virtual ~Sink() = default;

  virtual bool on() const = 0;
  // Before a call. One Put() follows each that was granted, on the same thread.
  virtual Admission Admit() = 0;
  virtual void Put(std::unique_ptr<Event> event) = 0;
  // What nobody was admitted for: recorded if there is room, else counted as dropped.
  virtual void Note(Event event) = 0;
};

}  // namespace switchyard::audit
