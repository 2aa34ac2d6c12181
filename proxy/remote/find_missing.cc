#include "remote/find_missing.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

namespace remote {

// One call to be: its digests, and those who wait for the answer.
struct FindMissing::Round {
  enum class State { waiting, asking, answered };
  State state = State::waiting;
  bool late = false;  // to be asked although other calls are under way
  std::vector<base::Digest> digests;
  std::vector<Member*> members;  // emptied with the answer
  std::optional<Failure> failure;
  std::unordered_set<base::Digest> missing;
};

// One task in missing_of(), on its stack. It is a member of each of its rounds that is not answered.
struct FindMissing::Member {
  struct Question {
    base::Digest digest;
    std::shared_ptr<Round> round;
  };
  std::vector<Question> questions;
  std::vector<std::shared_ptr<Round>> rounds;
  std::condition_variable_any wake;
  bool woken = false;

  void notify() {
    woken = true;
    wake.notify_one();
  }
  bool answered() const {
    return std::all_of(rounds.begin(), rounds.end(),
                       [](const auto& round) { return round->state == Round::State::answered; });
  }
  bool waits() const {
    return std::any_of(rounds.begin(), rounds.end(),
                       [](const auto& round) { return round->state == Round::State::waiting; });
  }
  const Failure* failure() const {
    for (const auto& round : rounds)
      if (round->failure) return &*round->failure;
    return nullptr;
  }
};

FindMissing::FindMissing(KnownBlobs& known, Ask ask, FindMissingOptions options)
    : known_(known), ask_(std::move(ask)), options_(options), most_(options.most) {}

FindMissing::~FindMissing() = default;

Remote<std::vector<base::Digest>> FindMissing::missing_of(const Call& call,
                                                          const std::vector<base::Digest>& digests,
                                                          bool doubt, const std::stop_token& stop) {
  if (doubt) known_.clear();
  std::vector<base::Digest> unknown = known_.unknown_of(digests);
  if (unknown.empty()) return unknown;

  Lock lock(mutex_);
  Member self;
  join(self, unknown, doubt);
  ++waiting_;
  wait_for_answers(lock, self, call, stop);
  --waiting_;
  leave(self);
  if (const Failure* failure = self.failure()) return *failure;
  if (!self.answered()) return Failure{Cause::cancelled, "cancelled"};
  std::vector<base::Digest> missing;
  for (const Member::Question& question : self.questions)
    if (question.round->missing.contains(question.digest)) missing.push_back(question.digest);
  return missing;
}

int FindMissing::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

// Until all is answered, something failed, or a stop.
void FindMissing::wait_for_answers(Lock& lock, Member& member, const Call& call,
                                   const std::stop_token& stop) {
  while (!member.answered() && member.failure() == nullptr && !stop.stop_requested()) {
    if (std::shared_ptr<Round> round = due_round(member)) {
      lead(lock, round, call, stop);
      continue;
    }
    auto woken = [&] { return std::exchange(member.woken, false); };
    if (!member.waits()) {
      member.wake.wait(lock, stop, woken);
    } else if (!member.wake.wait_for(lock, stop, options_.tick, woken)) {
      for (const std::shared_ptr<Round>& round : member.rounds) round->late = true;
    }
  }
}

void FindMissing::join(Member& member, const std::vector<base::Digest>& digests, bool doubt) {
  std::unordered_set<base::Digest> seen;
  for (const base::Digest& digest : digests) {
    if (digest.size == 0 || !seen.insert(digest).second) continue;
    auto found = current_.find(digest);
    std::shared_ptr<Round> round = found == current_.end() ? nullptr : found->second;
    if (round && doubt && round->state != Round::State::waiting) round = nullptr;
    if (!round) {
      if (!open_ || open_->digests.size() >= options_.most) open_ = std::make_shared<Round>();
      round = open_;
      round->digests.push_back(digest);
      current_[digest] = round;
    }
    if (std::find(member.rounds.begin(), member.rounds.end(), round) == member.rounds.end()) {
      member.rounds.push_back(round);
      round->members.push_back(&member);
    }
    member.questions.push_back({digest, round});
  }
}

// Of those rounds that are not answered. One that loses its last member is nobody's question any more. Else
// one of those who remain is woken, because the one who leaves may have been woken to lead.
void FindMissing::leave(Member& member) {
  for (const std::shared_ptr<Round>& round : member.rounds) {
    std::erase(round->members, &member);
    if (round->state != Round::State::waiting) continue;
    if (round->members.empty()) {
      drop(round);
    } else {
      round->members.front()->notify();
    }
  }
}

std::shared_ptr<FindMissing::Round> FindMissing::due_round(const Member& member) const {
  for (const std::shared_ptr<Round>& round : member.rounds) {
    if (round->state != Round::State::waiting) continue;
    if (in_flight_ == 0 || round->late || round->digests.size() >= options_.most) return round;
  }
  return nullptr;
}

void FindMissing::lead(Lock& lock, const std::shared_ptr<Round>& round, const Call& call,
                       const std::stop_token& stop) {
  round->state = Round::State::asking;
  if (open_ == round) open_.reset();
  ++in_flight_;
  lock.unlock();

  // No one touches the digests of a round that is being asked.
  std::uint64_t epoch = known_.epoch();
  Remote<std::vector<base::Digest>> answer = ask_in_pieces(call, round->digests, stop);
  std::unordered_set<base::Digest> missing;
  if (answer) {
    missing.insert(answer->begin(), answer->end());
    std::vector<base::Digest> present;
    for (const base::Digest& digest : round->digests)
      if (!missing.contains(digest)) present.push_back(digest);
    known_.add(present, epoch);
  }

  lock.lock();
  --in_flight_;
  if (!answer && answer.error().cause == Cause::cancelled && stop.stop_requested()) {
    // The leader leaves next, and hands the round to another.
    round->state = Round::State::waiting;
    round->late = true;
  } else {
    if (answer) {
      round->missing = std::move(missing);
    } else {
      round->failure = answer.error();
    }
    finish(round);
  }
  if (in_flight_ == 0 && open_) open_->members.front()->notify();
}

void FindMissing::finish(const std::shared_ptr<Round>& round) {
  round->state = Round::State::answered;
  drop(round);
  for (Member* member : round->members) member->notify();
  round->members.clear();
}

void FindMissing::drop(const std::shared_ptr<Round>& round) {
  for (const base::Digest& digest : round->digests) {
    auto found = current_.find(digest);
    if (found != current_.end() && found->second == round) current_.erase(found);
  }
  if (open_ == round) open_.reset();
}

Remote<std::vector<base::Digest>> FindMissing::ask_in_pieces(const Call& call,
                                                             const std::vector<base::Digest>& digests,
                                                             const std::stop_token& stop) {
  std::vector<base::Digest> missing;
  for (std::size_t begin = 0; begin < digests.size();) {
    std::size_t most;
    {
      std::lock_guard lock(mutex_);
      most = most_;
    }
    std::size_t end = std::min(digests.size(), begin + most);
    using Iterator = std::vector<base::Digest>::difference_type;
    std::vector<base::Digest> piece(digests.begin() + static_cast<Iterator>(begin),
                                    digests.begin() + static_cast<Iterator>(end));
    Remote<std::vector<base::Digest>> answer = ask_(call, piece, stop);
    if (answer) {
      missing.insert(missing.end(), answer->begin(), answer->end());
      begin = end;
    } else if (answer.error().cause == Cause::too_large && piece.size() > 1) {
      std::lock_guard lock(mutex_);
      most_ = std::min(most_, piece.size() / 2);
    } else {
      return answer;
    }
  }
  return missing;
}

}  // namespace remote
