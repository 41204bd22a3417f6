#include "config/check.h"

#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "config/describe.h"
#include "config/load.h"
#include "config/redact.h"

namespace switchyard::config {
namespace {

namespace json = boost::json;

json::array ToJson(const std::vector<Problem>& problems) {
  json::array out;
  for (const Problem& problem : problems) {
    out.push_back(
        json::object{{"severity", problem.severity == Severity::kError ? "error" : "warning"},
                     {"file", problem.file},
                     {"line", problem.at.line},
                     {"column", problem.at.column},
                     {"path", problem.path},
                     {"message", problem.message}});
  }
  return out;
}

int RunExplain(const Config& config, const ExplainRequest& request, const std::string& path,
               bool as_json, std::ostream& out, std::ostream& err,
               std::span<const PolicyKey> keys) {
  const auto tool = FindTool(config, request);
  if (as_json) {
    json::object answer{{"ok", tool.has_value()}};
    if (tool) {
      answer["explained"] = ExplainJson(config, keys, *tool, path);
    } else {
      answer["error"] = tool.error();
    }
    out << json::serialize(answer) << "\n";
  } else if (tool) {
    out << Explain(config, keys, *tool, path);
  } else {
    err << tool.error() << "\n";
  }
  return tool ? 0 : 1;
}

}  // namespace

int RunCheck(const std::string& path, bool as_json, std::ostream& out, std::ostream& err,
             std::span<const PolicyKey> keys, const Environment& environment,
             const ExplainRequest& explain, const Look& look) {
  LoadResult loaded = Load(path, keys, environment);
  if (loaded && look) {
    if (std::optional<Problem> problem = look(loaded->config)) {
      problem->file = path;
      problem->message = loaded->expanded->Hide(problem->message);
      std::vector<Problem> problems = std::move(loaded->warnings);
      problems.insert(problems.begin(), std::move(*problem));
      loaded = std::unexpected(std::move(problems));
    }
  }
  const std::vector<Problem>& problems = loaded ? loaded->warnings : loaded.error();
  if (loaded && !explain.tool.empty()) {
    return RunExplain(loaded->config, explain, path, as_json, out, err, keys);
  }
  if (as_json) {
    json::object answer{{"ok", loaded.has_value()}, {"problems", ToJson(problems)}};
    if (loaded) {
      json::value described = DescribeJson(loaded->config);
      HideExpanded(described, *loaded->expanded);
      answer["config"] = std::move(described);
    }
    out << json::serialize(answer) << "\n";
    return loaded ? 0 : 1;
  }
  for (const Problem& problem : problems) err << problem.ToString() << "\n";
  if (!loaded) return 1;
  out << path << " is fine\n" << loaded->expanded->Hide(Describe(loaded->config));
  return 0;
}

}  // namespace switchyard::config
