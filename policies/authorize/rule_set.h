// Sets of rules by their numbers. Values.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace switchyard::policies::authorize {

// One bit a rule.
class RuleSet {
 public:
  RuleSet() = default;
  explicit RuleSet(std::size_t rules) : words_((rules + 63) / 64) {}

  void Add(std::size_t rule) { words_[rule / 64] |= std::uint64_t{1} << (rule % 64); }
  bool Has(std::size_t rule) const { return ((words_[rule / 64] >> (rule % 64)) & 1) != 0; }

  // Each rule that is in all three, in their order; until `visit` says false.
  template <class Visit>
  static void ForEach(const RuleSet& a, const RuleSet& b, const RuleSet& c, Visit visit) {
    for (std::size_t i = 0; i < a.words_.size(); ++i) {
      std::uint64_t word = a.words_[i] & b.words_[i] & c.words_[i];
      for (; word != 0; word &= word - 1) {
        if (!visit(i * 64 + static_cast<std::size_t>(std::countr_zero(word)))) return;
      }
    }
  }

 private:
  std::vector<std::uint64_t> words_;
};

// What an index has under one name: few numbers, or as many that a set of them is quicker.
class Posting {
 public:
  void Add(std::size_t rule) {
    if (few_.empty() || few_.back() != rule) few_.push_back(static_cast<std::uint32_t>(rule));
  }
  // Once all are added: of `rules` altogether.
  void Seal(std::size_t rules) {
    if (few_.size() <= 8 + rules / 64) return;
    many_ = RuleSet(rules);
    for (const std::uint32_t rule : few_) many_.Add(rule);
    few_.clear();
    is_set_ = true;
  }

  template <class Visit>
  void ForEach(const RuleSet& a, const RuleSet& b, Visit visit) const {
    if (is_set_) {
      RuleSet::ForEach(many_, a, b, [&visit](std::size_t rule) {
        visit(rule);
        return true;
      });
    }
    for (const std::uint32_t rule : few_) {
      if (a.Has(rule) && b.Has(rule)) visit(rule);
    }
  }
  bool empty() const { return few_.empty() && !is_set_; }

 private:
  std::vector<std::uint32_t> few_;
  RuleSet many_;
  bool is_set_ = false;
};

}  // namespace switchyard::policies::authorize
