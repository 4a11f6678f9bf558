#include "controller/raft/sim/script.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "controller/raft/sim/cluster.h"

namespace raft::sim {

namespace {

using Words = std::vector<std::string>;

class Script {
  public:
    Script() {
        options_.election_ticks = kElectionTicks;
        commands();
        expectations();
    }
    std::optional<std::string> run(std::istream& in);

  private:
    using Command = std::function<void(const Words&)>;
    void commands();
    void faults();
    void expectations();

    void found(int voters, int spares);
    void option(const std::string& name, int64_t value);
    Node& node(const std::string& id) { return cluster_->node(std::stoi(id)); }
    void wrong(const std::string& what) {
        if (wrong_.empty()) wrong_ = what;
    }
    void expect(bool holds, const std::string& what) {
        if (!holds) wrong("expected otherwise: " + what);
    }
    bool linked(const Message& m) const { return !cut_.contains({m.from.id, m.to.id}); }
    void deliver(int from, int to, int64_t count, bool lost);
    void settle();
    void campaign(const std::string& id);
    void forget_leader(Node&);
    void win(const Words&);

    Options options_;
    std::unique_ptr<Cluster> cluster_;
    std::map<std::string, Command> commands_;
    std::map<std::string, Command> expectations_;
    std::deque<Message> messages_;  // on their way, oldest first
    std::vector<Message> late_;     // that come a second time
    std::set<std::pair<int, int>> cut_;
    std::set<int> held_;  // whose disks don't finish
    bool taken_ = true;   // the last request
    uint64_t draws_ = 0;
    std::string wrong_;
};

void Script::found(int voters, int spares) {
    Cluster::Outside outside;
    outside.send = [this](Message m) { messages_.push_back(std::move(m)); };
    outside.write = [](Node&) {};
    outside.draw = [this] { return ++draws_; };
    cluster_ = std::make_unique<Cluster>(options_, 3, std::move(outside));
    cluster_->found(voters, voters + spares);
}

void Script::option(const std::string& name, int64_t value) {
    const auto size = static_cast<size_t>(value);
    if (name == "most_append_entries") options_.most_append_entries = size;
    else if (name == "most_uncommitted_bytes") options_.most_uncommitted_bytes = size;
    else if (name == "most_log_bytes_in_memory") options_.most_log_bytes_in_memory = size;
    else wrong("no option " + name);
}

void Script::deliver(int from, int to, int64_t count, bool lost) {
    for (size_t i = 0; i < messages_.size() && count > 0;) {
        if (messages_[i].from.id != from || messages_[i].to.id != to) {
            ++i;
            continue;
        }
        const auto m = messages_[i];
        messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(i));
        --count;
        if (!lost) cluster_->deliver(m);
    }
}

/// Delivers and writes until nothing is left to do. Messages on cut links are lost.
void Script::settle() {
    for (bool busy = true; busy && !cluster_->ghost().broken();) {
        busy = false;
        for (auto& [id, n] : cluster_->nodes())
            if (n.raft && n.out && !held_.contains(id)) {
                cluster_->finish_write(n);
                busy = true;
            }
        for (auto waiting = std::exchange(messages_, {}); !waiting.empty(); busy = true) {
            if (linked(waiting.front())) cluster_->deliver(waiting.front());
            waiting.pop_front();
        }
    }
}

/// Lets time pass for one node alone until it asks for votes.
void Script::campaign(const std::string& id) {
    auto& n = node(id);
    const auto asks = [&](const Message& m) {
        return m.from == n.self() && std::holds_alternative<VoteRequest>(m.body);
    };
    for (int i = 0; i < 3 * kElectionTicks; ++i) {
        if (std::ranges::any_of(messages_, asks)) return;
        cluster_->tick(n);
    }
    // One that has no vote does not ask: that may be just what is expected.
}

/// The node has heard no leader for long enough, but doesn't campaign itself.
void Script::forget_leader(Node& n) {
    for (int i = 0; i < kElectionTicks; ++i) cluster_->tick(n);
    std::erase_if(messages_, [&](const Message& m) {
        return m.from == n.self() && std::holds_alternative<VoteRequest>(m.body);
    });
}

/// The node is elected by these voters, and no message moves but theirs.
void Script::win(const Words& w) {
    auto& candidate = node(w.at(1));
    for (size_t i = 2; i < w.size(); ++i) forget_leader(node(w[i]));
    // A second time if it had to learn a newer term first.
    for (int attempt = 0; attempt < 2 && !candidate.raft->leads(); ++attempt) {
        campaign(w[1]);
        for (int vote = 0; vote < 2; ++vote) {
            while (candidate.out) cluster_->finish_write(candidate);
            for (size_t i = 2; i < w.size(); ++i) {
                auto& voter = node(w[i]);
                deliver(candidate.self().id, voter.self().id, 1'000, false);
                while (voter.out) cluster_->finish_write(voter);
            }
            for (size_t i = 2; i < w.size(); ++i)
                deliver(node(w[i]).self().id, candidate.self().id, 1'000, false);
        }
        std::erase_if(messages_, [&](const Message& m) {
            return m.from == candidate.self() && std::holds_alternative<VoteRequest>(m.body);
        });
    }
    expect(candidate.raft->leads(), w[1] + " leads");
}

void Script::commands() {
    commands_["nodes"] = [this](const Words& w) {
        found(std::stoi(w.at(1)), w.size() > 2 ? std::stoi(w[2]) : 0);
    };
    commands_["option"] = [this](const Words& w) { option(w.at(1), std::stoll(w.at(2))); };
    commands_["tick"] = [this](const Words& w) {
        for (int i = w.size() > 2 ? std::stoi(w[2]) : 1; i > 0; --i)
            for (auto& [id, n] : cluster_->nodes())
                if (w.at(1) == "all" || w[1] == std::to_string(id)) cluster_->tick(n);
    };
    commands_["campaign"] = [this](const Words& w) { campaign(w.at(1)); };
    commands_["win"] = [this](const Words& w) { win(w); };
    commands_["elect"] = [this](const Words& w) {
        for (auto& [id, n] : cluster_->nodes())
            if (n.raft && !n.raft->leads() && std::to_string(id) != w.at(1)) forget_leader(n);
        campaign(w.at(1));
        settle();
        expect(node(w[1]).raft->leads(), w[1] + " leads");
    };
    commands_["settle"] = [this](const Words&) { settle(); };
    commands_["deliver"] = [this](const Words& w) {
        deliver(std::stoi(w.at(1)), std::stoi(w.at(2)), w.size() > 3 ? std::stoll(w[3]) : 1'000,
                false);
    };
    commands_["drop"] = [this](const Words& w) {
        deliver(std::stoi(w.at(1)), std::stoi(w.at(2)), w.size() > 3 ? std::stoll(w[3]) : 1'000,
                true);
    };
    commands_["repeat"] = [this](const Words& w) {
        for (const auto& m : messages_)
            if (m.from.id == std::stoi(w.at(1)) && m.to.id == std::stoi(w.at(2)))
                late_.push_back(m);
    };
    commands_["late"] = [this](const Words&) {
        messages_.insert(messages_.end(), late_.begin(), late_.end());
        late_.clear();
    };
    commands_["propose"] = [this](const Words& w) {
        taken_ = cluster_->propose(node(w.at(1)), w.at(2));
    };
    commands_["read"] = [this](const Words& w) { taken_ = cluster_->read(node(w.at(1))); };
    commands_["transfer"] = [this](const Words& w) {
        taken_ = cluster_->transfer(node(w.at(1)), node(w.at(2)).self());
    };
    commands_["gone"] = [this](const Words& w) {
        cluster_->gone(node(w.at(1)), node(w.at(2)).self());
    };
    commands_["add"] = [this](const Words& w) {
        taken_ = cluster_->change(node(w.at(1)), AddLearner{node(w.at(2)).self(), "c" + w[2]});
    };
    commands_["promote"] = [this](const Words& w) {
        taken_ = cluster_->change(node(w.at(1)), Promote{node(w.at(2)).self()});
    };
    commands_["remove"] = [this](const Words& w) {
        const auto& voters = node(w.at(1)).raft->configuration().voters;
        const auto of_id = [&](const auto& v) { return v.first.id == std::stoi(w.at(2)); };
        const auto found = std::ranges::find_if(voters, of_id);
        const auto member = found == voters.end() ? node(w[2]).self() : found->first;
        taken_ = cluster_->change(node(w[1]), Remove{member});
    };
    // The node came back with another disk.
    commands_["replace"] = [this](const Words& w) {
        const auto old = node(w.at(1)).raft->configuration().find_id(std::stoi(w.at(2)));
        if (!old) return wrong("no member has the id " + w[2]);
        taken_ = cluster_->change(node(w[1]), Replace{*old, node(w[2]).self(), "c" + w[2]});
    };
    commands_["compact"] = [this](const Words& w) { cluster_->compact(node(w.at(1))); };
    faults();
}

void Script::faults() {
    commands_["cut"] = [this](const Words& w) {
        cut_.insert({std::stoi(w.at(1)), std::stoi(w.at(2))});
        cut_.insert({std::stoi(w[2]), std::stoi(w[1])});
    };
    commands_["cut-one-way"] = [this](const Words& w) {
        cut_.insert({std::stoi(w.at(1)), std::stoi(w.at(2))});
    };
    commands_["isolate"] = [this](const Words& w) {
        for (auto& [id, n] : cluster_->nodes()) {
            if (w.at(1) == std::to_string(id)) continue;
            cut_.insert({std::stoi(w[1]), id});
            cut_.insert({id, std::stoi(w[1])});
        }
    };
    commands_["heal"] = [this](const Words&) { cut_.clear(); };
    commands_["hold"] = [this](const Words& w) { held_.insert(std::stoi(w.at(1))); };
    commands_["release"] = [this](const Words& w) { held_.erase(std::stoi(w.at(1))); };
    commands_["write"] = [this](const Words& w) {
        if (auto& n = node(w.at(1)); n.out) cluster_->finish_write(n);
        else wrong("no write is out");
    };
    commands_["crash"] = [this](const Words& w) {
        cluster_->crash(node(w.at(1)), w.size() > 2 && w[2] == "landed");
    };
    commands_["start"] = [this](const Words& w) { cluster_->start(node(w.at(1))); };
    commands_["wipe"] = [this](const Words& w) { cluster_->wipe(node(w.at(1))); };
}

void Script::expectations() {
    const auto number = [](const Words& w, size_t i) { return std::stoll(w.at(i)); };
    expectations_["leads"] = [this](const Words& w) {
        expect(node(w.at(2)).raft->leads(), "node " + w[2] + " leads");
    };
    expectations_["follows"] = [this](const Words& w) {
        expect(!node(w.at(2)).raft->leads(), "node " + w[2] + " does not lead");
    };
    expectations_["term"] = [this, number](const Words& w) {
        const auto term = node(w.at(2)).raft->term();
        expect(term == number(w, 3), "term is " + std::to_string(term));
    };
    expectations_["committed"] = [this, number](const Words& w) {
        const auto committed = node(w.at(2)).raft->committed();
        expect(committed == number(w, 3), "committed is " + std::to_string(committed));
    };
    expectations_["applied"] = [this, number](const Words& w) {
        const auto applied = node(w.at(2)).state.applied;
        expect(applied == number(w, 3), "applied is " + std::to_string(applied));
    };
    expectations_["first"] = [this, number](const Words& w) {
        const auto first = node(w.at(2)).raft->log().first();
        expect(first == number(w, 3), "the log begins at " + std::to_string(first));
    };
    // expect log NODE TERM...: the terms of all its entries
    expectations_["log"] = [this](const Words& w) {
        const auto& log = node(w.at(2)).raft->log();
        std::string terms, expected;
        for (Index i = log.first(); i <= log.last(); ++i)
            terms += std::to_string(*log.term_at(i)) + " ";
        for (size_t i = 3; i < w.size(); ++i) expected += w[i] + " ";
        expect(terms == expected, "the log's terms are " + terms);
    };
    expectations_["voters"] = [this](const Words& w) {
        std::string voters, expected;
        for (const auto& [member, address] : node(w.at(2)).raft->configuration().voters)
            voters += std::to_string(member.id) + " ";
        for (size_t i = 3; i < w.size(); ++i) expected += w[i] + " ";
        expect(voters == expected, "the voters are " + voters);
    };
    expectations_["promised"] = [this](const Words& w) {
        std::string promised, expected;
        for (const auto& member : node(w.at(2)).raft->configuration().promised)
            promised += std::to_string(member.id) + " ";
        for (size_t i = 3; i < w.size(); ++i) expected += w[i] + " ";
        expect(promised == expected, "votes are promised to " + promised);
    };
    expectations_["reads"] = [this, number](const Words& w) {
        const auto reads = static_cast<int64_t>(cluster_->reads_answered);
        expect(reads == number(w, 2), std::to_string(reads) + " reads are answered");
    };
    expectations_["snapshots"] = [this, number](const Words& w) {
        const auto installed = static_cast<int64_t>(cluster_->snapshots_installed);
        expect(installed == number(w, 2), std::to_string(installed) + " snapshots are installed");
    };
    expectations_["taken"] = [this](const Words&) { expect(taken_, "it was taken"); };
    expectations_["refused"] = [this](const Words&) { expect(!taken_, "it was refused"); };
    commands_["expect"] = [this](const Words& w) {
        const auto found = expectations_.find(w.at(1));
        if (found == expectations_.end()) return wrong("nothing is known of " + w[1]);
        found->second(w);
    };
}

std::optional<std::string> Script::run(std::istream& in) {
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        std::istringstream text(line.substr(0, line.find('#')));
        Words words;
        for (std::string word; text >> word;) words.push_back(word);
        if (words.empty()) continue;
        const auto command = commands_.find(words[0]);
        if (command == commands_.end()) wrong("no command " + words[0]);
        else command->second(words);
        if (cluster_ && cluster_->ghost().broken()) wrong(*cluster_->ghost().broken());
        if (!wrong_.empty()) return "line " + std::to_string(number) + " (" + line + "): " + wrong_;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> run_script(const std::string& path) {
    std::ifstream in(path);
    if (!in) return path + " can't be read";
    return Script().run(in);
}

}  // namespace raft::sim
