// Servers and catalogs for tests, in few words.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace switchyard::catalog::testing {

inline std::string Tool(const std::string& name, const std::string& more = "") {
  return R"({"name":")" + name + R"(","inputSchema":{"type":"object"})" + more + "}";
}

struct TestServer {
  ServerState state;
  std::shared_ptr<Inventory> inventory = std::make_shared<Inventory>();

  explicit TestServer(const std::string& name) : TestServer(name, name) {}
  TestServer(const std::string& name, const std::string& prefix) {
    state.naming.server = name;
    state.naming.prefix = prefix;
    inventory->server = name;
    state.inventory = inventory;
    state.up = true;
  }
  TestServer& Tools(std::vector<std::string> tools) {
    inventory->tools = std::move(tools);
    return *this;
  }
  TestServer& Prompts(std::vector<std::string> prompts) {
    inventory->prompts = std::move(prompts);
    return *this;
  }
  TestServer& Resource(const std::string& uri) {
    inventory->resources.push_back(R"({"uri":")" + uri + R"(","name":"n"})");
    return *this;
  }
  TestServer& Template(const std::string& uri) {
    inventory->templates.push_back(R"({"uriTemplate":")" + uri + R"(","name":"n"})");
    return *this;
  }
  TestServer& Capabilities(const std::string& json) {
    inventory->facts.capabilities = json;
    return *this;
  }
  TestServer& Instructions(const std::string& text) {
    inventory->facts.instructions = text;
    return *this;
  }
  TestServer& Down(const std::string& why) {
    state.inventory = nullptr;
    return Kept(why);
  }
  // Nothing was heard of it yet.
  TestServer& Starting() {
    state.starting = true;
    return Down("starting");
  }
  // Down, and its lists are kept.
  TestServer& Kept(const std::string& why) {
    state.up = false;
    state.missing_because = why;
    return *this;
  }
};

inline std::shared_ptr<const Catalog> Merge(const std::vector<TestServer>& servers,
                                            Catalog::Options options = {}, int revision = 1) {
  std::vector<ServerState> states;
  for (const TestServer& server : servers) states.push_back(server.state);
  if (options.cursor_key.empty()) options.cursor_key = std::string(32, 'k');
  return Catalog::Build(std::move(options), std::move(states),
                        static_cast<std::uint64_t>(revision));
}

inline std::vector<std::string> Exposed(const Catalog& catalog, ItemKind kind) {
  std::vector<std::string> names;
  for (const Definition& item : catalog.items(kind)) names.push_back(item.exposed);
  return names;
}

}  // namespace switchyard::catalog::testing
