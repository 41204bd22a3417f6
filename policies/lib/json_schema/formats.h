// `format` where it is asked to be checked: one pure question a format. Linear in the text.
#pragma once

#include <string_view>

namespace switchyard::json_schema {

using FormatCheck = bool (*)(std::string_view text);

// null: a format that is not checked (an unknown one, or one for internationalised names).
FormatCheck FindFormat(std::string_view name);

}  // namespace switchyard::json_schema
