// What servers may ask of a client in the middle of a call: elicitation by form or by URL,
// sampling, roots. Read from the client's (modern) capabilities, told to legacy servers at
// initialize, and checked again for every question, at both ends. A value.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include "core/call.h"

namespace switchyard {

struct Askable {
  bool form = false;
  bool url = false;
  bool sampling = false;
  bool sampling_tools = false;
  bool roots = false;

  bool any() const { return form || url || sampling || roots; }
  auto operator<=>(const Askable&) const = default;

  // Of a raw ClientCapabilities object. An elicitation without modes means forms.
  static Askable Of(std::string_view capabilities);
  static Askable Of(const Call& call);
  static Askable All();

  // Capabilities for a legacy `initialize`.
  std::string ToLegacy() const;

  // What a client lacks to be asked this, as `requiredCapabilities`; "" = nothing, kNobody = it is
  // no question, or one that no client can be asked.
  static constexpr std::string_view kNobody = "{}";
  std::string Missing(mcp::Method method, const boost::json::object& params) const;
};

// Methods whose answer may be `input_required` (basic/patterns/mrtr).
bool MayAskForInput(mcp::Method method);

// Whether the server may ask something while it works on this call, or did so before: the calls
// that need more than a request and its response. Costs next to nothing for clients that cannot be
// asked.
bool IsInteractive(const Call& call);

}  // namespace switchyard
