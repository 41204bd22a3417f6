// Whether a text that stands where a secret may stand is one. Pure; time linear in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::policies::guardrail {

// Of up to 19 digits.
bool PassesLuhn(std::string_view digits);
// By the first digits and the length that its network gives it, and the check digit.
bool IsCardNumber(std::string_view digits);
// Without spaces: country, length and remainder (ISO 13616).
bool IsIban(std::string_view text);
// base64url of a JSON object that names an algorithm.
bool IsJoseHeader(std::string_view part);
// base64 of `user:password`, all printable.
bool IsBasicCredentials(std::string_view token);

// Whether a variable, key or member of this name is meant to hold a secret: password,
// AWS_SECRET_ACCESS_KEY, clientSecret.
bool IsSecretName(std::string_view name);
// Whether what such a name is given looks like one: long and mixed enough, and no word that stands
// for one (changeme, ${TOKEN}, settings.password).
bool LooksSecret(std::string_view value);

// Bits a byte, of the bytes' own frequencies.
double EntropyOf(std::string_view text);

}  // namespace switchyard::policies::guardrail
