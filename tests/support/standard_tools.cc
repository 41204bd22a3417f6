#include "support/standard_tools.h"

#include <cstdint>
#include <string>
#include <unistd.h>

#include "support/surface.h"

namespace switchyard::tests {
namespace {

std::int64_t Number(const Turn& turn, std::string_view name, std::int64_t otherwise) {
  const json::value value = turn.argument(name);
  return value.is_int64() ? value.as_int64() : otherwise;
}

std::string TextArgument(const Turn& turn, std::string_view name) {
  const json::value value = turn.argument(name);
  return value.is_string() ? std::string(value.as_string()) : std::string();
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

void Hold(Turn& turn) {
  const std::string label = turn.label();
  turn.surface().Named("started:" + label).Set();
  if (turn.Wait(turn.surface().Named("release:" + label))) {
    turn.Text("released " + label);
  } else {
    turn.surface().Named("cancelled:" + label).Set();
  }
}

void Await(Turn& turn) {
  if (turn.Wait(turn.surface().Named(TextArgument(turn, "event")))) turn.Text("happened");
}

void Flood(Turn& turn) {
  const std::int64_t count = Number(turn, "count", 1000);
  for (std::int64_t i = 0; i < count && !turn.cancelled(); ++i) {
    turn.Notify("notifications/message", R"("level":"info","data":"flood")");
  }
  turn.Text("dry again");
}

void AnswerTwice(Turn& turn) {
  const std::string id = json::serialize(At(turn.message(), "/id"));
  const std::string answer = R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"content":[]}})";
  turn.Bytes(answer + "\n" + answer);
}

void AddFaults(Surface& surface) {
  surface.AddTool("die", [](Turn& turn) { turn.Drop(); });
  surface.AddTool("rubbish", [](Turn& turn) { turn.Bytes("{]this is no JSON"); });
  surface.AddTool("wrong_id", [](Turn& turn) {
    turn.Bytes(R"({"jsonrpc":"2.0","id":"nobody-asked","result":{"content":[]}})");
  });
  surface.AddTool("endless", [](Turn& turn) {
    turn.Bytes(std::string(static_cast<std::size_t>(Number(turn, "bytes", 1)), 'x'));
  });
  surface.AddTool("half_close", [](Turn& turn) {
    turn.HalfClose();
    turn.NeverAnswer();
  });
  surface.AddTool("twice", AnswerTwice);
  surface.AddTool("invalid", [](Turn& turn) {
    turn.Bytes(R"({"jsonrpc":"2.0","id":)" + turn.id() + "," + TextArgument(turn, "rest") + "}");
  });
  surface.AddTool("flood", Flood);
}

void AddChanges(Surface& surface) {
  surface.AddTool("grow", [](Turn& turn) {
    turn.surface().AddTool("grown", [](Turn& grown) { grown.Text("grown"); });
    turn.surface().Changed("tools");
    turn.Text("ok");
  });
  surface.AddTool("touch", [](Turn& turn) {
    turn.surface().Updated(TextArgument(turn, "uri"));
    turn.Text("ok");
  });
  surface.AddTool("shrink", [](Turn& turn) {
    turn.surface().RemoveTool("grown");
    turn.surface().Changed("tools");
    turn.Text("ok");
  });
}

}  // namespace

void AddStandardTools(Surface& surface) {
  surface.AddTool("echo", [](Turn& turn) { turn.Text(TextArgument(turn, "text")); });
  surface.AddTool("mirror", [](Turn& turn) { turn.Text(turn.raw()); });
  surface.AddTool("exact", [](Turn& turn) { turn.Result(kExactContent); });
  surface.AddTool("big", [](Turn& turn) {
    turn.Text(std::string(static_cast<std::size_t>(Number(turn, "bytes", 1)), 'b'));
  });
  surface.AddTool("fail", [](Turn& turn) {
    turn.Result(R"("content":[{"type":"text","text":"as asked"}],"isError":true)");
  });
  surface.AddTool("refuse", [](Turn& turn) {
    turn.Error(static_cast<int>(Number(turn, "code", -1)), "as asked", R"({"why":"asked"})");
  });
  surface.AddTool("hold", Hold);
  surface.AddTool("await", Await);
  surface.AddTool("release", [](Turn& turn) {
    turn.surface().Named("release:" + turn.label()).Set();
    turn.Text("ok");
  });
  surface.AddTool("progress", [](Turn& turn) {
    const std::int64_t steps = Number(turn, "steps", 1);
    for (std::int64_t i = 1; i <= steps; ++i) {
      turn.Progress(static_cast<double>(i), static_cast<double>(steps));
    }
    turn.Text("done");
  });
  surface.AddTool("link", [](Turn& turn) {
    const std::string uri = Quote(TextArgument(turn, "uri"));
    turn.Result(R"("content":[{"type":"resource_link","name":"l","uri":)" + uri +
                R"(},{"type":"resource","resource":{"text":"t","uri":)" + uri + "}}]");
  });
  surface.AddTool("log", [](Turn& turn) {
    turn.Notify("notifications/message",
                R"("level":)" + Quote(TextArgument(turn, "level")) + R"(,"data":"logged")");
    turn.Text("ok");
  });
  surface.AddTool("pid", [](Turn& turn) { turn.Text(std::to_string(::getpid())); });
  surface.AddTool("methods", [](Turn& turn) { turn.Text(Joined(turn.surface().methods())); });
  surface.AddTool("complaints", [](Turn& turn) { turn.Text(Joined(turn.surface().complaints())); });
  AddChanges(surface);
  AddFaults(surface);
  AddAskingTools(surface);
}

}  // namespace switchyard::tests
