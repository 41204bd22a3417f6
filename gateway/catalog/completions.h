// What a server proposes for an argument of a resource template, as far as it leads to resources
// that the caller may know of (core/sight.h).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/call.h"
#include "core/reply.h"
#include "core/sight.h"

namespace switchyard::catalog {

// The template with these values in place of their expressions (RFC 6570), as far as an expression
// has one variable alone; what is not known stays as it is. Pure.
std::string Expand(std::string_view uri_template,
                   const std::map<std::string, std::string, std::less<>>& values);

// `reply`, to a call that completes the template which is its target: without values of which
// `sight` shows no resource. The call outlives it.
ReplyPtr WithSeenCompletions(ReplyPtr reply, const Call& call, std::shared_ptr<const Sight> sight);

}  // namespace switchyard::catalog
