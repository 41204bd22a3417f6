// A room in which agents talk.
#pragma once

#include <string>
#include <string_view>

#include "orchestration/coordination/sweep.h"
#include "unit/orchestration/support.h"

namespace switchyard::orchestration {

class Talk : public Room {
 public:
  // The id of what was sent, or the refusal.
  std::string Send(std::string_view sender, std::string_view to, std::string_view content) {
    const boost::json::object sent =
        Get("send_message", R"({"sender_id":")" + std::string(sender) + R"(","content":")" +
                                std::string(content) + "\"," + std::string(to) + "}");
    return std::string(sent.at(sent.contains("error") ? "error" : "message_id").as_string());
  }
  // What an agent reads, with blanks between.
  std::string Contents(std::string_view agent, std::string_view more = "") {
    return ContentsOf(Get(
        "read_messages", R"({"agent_id":")" + std::string(agent) + "\"" + std::string(more) + "}"));
  }
  static std::string ContentsOf(const boost::json::object& page) {
    if (!page.contains("messages")) return boost::json::serialize(page);
    std::string contents;
    for (const boost::json::value& message : page.at("messages").as_array()) {
      contents += (contents.empty() ? "" : " ") + std::string(message.at("content").as_string());
    }
    return contents;
  }
  void Sweep() {
    EXPECT_TRUE(Do([](Records& records) { return SweepCoordination(records); }).has_value());
  }
};

}  // namespace switchyard::orchestration
