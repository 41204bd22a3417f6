// Names of tools that change something, by the words in them. Pure.
#pragma once

#include <string_view>

namespace switchyard::policies {

// The first such word of a name (send_mail, sendMail, mail.send: send); "" = none. Words end where
// letters do and where a capital begins. In a glob only words that no wildcard touches count, as
// `send*` may mean `sender`.
std::string_view WriterWordIn(std::string_view name_or_glob);

}  // namespace switchyard::policies
