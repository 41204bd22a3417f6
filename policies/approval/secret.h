// What of the arguments of a call is not shown to the person who approves it. What is hidden nobody
// reads, and whoever calls chooses the text around it: so only what can be nothing but a secret is
// hidden, byte for byte. Pure; for policies/approval alone.
#pragma once

#include <string_view>

#include "policies/lib/guardrail_detectors.h"

namespace switchyard::policies::approval {

// Whether all of what a detector found is a secret: of a private key the lines that PEM has
// (RFC 7468 section 2, and RFC 1421 section 4.6 for the headers of an encrypted one), else one word
// without what a shell reads as more than a word.
bool IsAllSecret(guardrail::DetectorId detector, std::string_view text);

}  // namespace switchyard::policies::approval
