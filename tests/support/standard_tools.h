// The tools that every fake server has. Labels are the test's: they tell calls apart and name
// events (Surface::Named), so that a test can wait for what happens inside a server, also in
// another process:
//
//   echo {text}         its text                    mirror         the raw request, as text
//   exact               kExactContent, byte for byte   big {bytes}    so much text
//   fail                an isError result            refuse {code}  a JSON-RPC error
//   hold {label}        "started:label" happens, then waits for "release:label"; when it is
//   cancelled
//                       meanwhile, "cancelled:label" happens and there is no answer
//   release {label}     lets it go                  await {event}  waits for an event by its full
//   name progress {steps}    so many notifications, then the answer log {level}         a log
//   message, then the answer flood {count}       notifications without end or reason, then the
//   answer grow, shrink        the tool `grown` comes and goes, list_changed is told pid, methods,
//   complaints   of the server, as text die                 drops the connection or ends the
//   process, no answer rubbish             bytes that are no JSON      wrong_id       an answer to
//   nobody's request endless {bytes}     a body or line of so many bytes   half_close     says no
//   more, keeps reading twice               two responses      invalid {rest} an answer with these
//   members behind its id
//
//   link {uri}          a link to it and it embedded
//   touch {uri}         whoever subscribed to it, or to what it is a part of, is told
#pragma once

#include <string_view>

namespace switchyard::tests {

class Surface;

// Odd on purpose: a rebuilt value would not read the same.
inline constexpr std::string_view kExactContent =
    R"("content" : [ {"type":"text", "text":"\u00e9\/\ud83d\ude00 \"q\""} ],)"
    R"("structuredContent":{"n":1.50e+02,"big":12345678901234567890,"b":[ true,null ],"b ":-0.0},)"
    R"("isError":false, "x-own":{"z":1,"a":2})";

void AddStandardTools(Surface& surface);

}  // namespace switchyard::tests
