// How a URI reads to who decides by it: what names the same thing should read alike, however it was
// written (RFC 3986). Pure.
#pragma once

#include <string>
#include <string_view>

namespace switchyard::policies {

// Whether all readings below give it back as it is, and no server would read it otherwise.
bool IsPlainUri(std::string_view uri);

// As section 6.2.2 normalises it: scheme and host in lower case, percent-encodings of unreserved
// characters undone and the digits of all others in capitals, dot segments gone.
// `file://localhost/` is `file:///`.
std::string NormalUri(std::string_view uri);
// As somebody reads it who decodes first and asks then: every percent-encoding undone, `\` is `/`,
// empty segments and then dot segments gone.
std::string DecodedUri(std::string_view uri);

// The same for a glob over URIs. Dot segments stay: those of URIs are gone before a glob sees them,
// and what a star stands for is not known. An encoded `*` or `?` stays, for it is no wildcard.
std::string NormalUriGlob(std::string_view glob);
std::string DecodedUriGlob(std::string_view glob);

}  // namespace switchyard::policies
