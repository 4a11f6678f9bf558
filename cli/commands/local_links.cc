#include <cstdio>

#include "cli/commands/local.h"
#include "cli/local/faults.h"

namespace cli {
namespace {

using local::CommandLock;
using local::Faults;

/// The link between two brokers of the cluster.
struct Link {
    Directory directory;
    std::vector<int32_t> ends;

    base::Result<local::Cut> named() const {
        for (const int32_t id : ends) RETURN_IF_ERROR(directory.broker(id).status());
        if (ends[0] == ends[1])
            return base::invalid("a broker has no link to itself\nName two brokers.");
        return local::Cut::between(ends[0], ends[1]);
    }
    void tell(local::Cut link, const char* what) const {
        std::printf("the link between broker %d and broker %d %s\n", link.a, link.b, what);
    }
};

struct CutLink {
    Link link;

    base::Status run() const {
        ASSIGN_OR_RETURN(const local::Cut named, link.named());
        const std::string path = link.directory.absolute();
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(path));
        ASSIGN_OR_RETURN(const bool done, Faults(path).cut(named));
        link.tell(named, done ? "is cut" : "is cut already");
        return base::ok();
    }
};

struct HealLinks {
    Link link;

    base::Status run() const {
        const std::string path = link.directory.absolute();
        if (link.ends.empty()) {
            RETURN_IF_ERROR(local::find_brokers(path).status());
            ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(path));
            RETURN_IF_ERROR(Faults(path).heal_all());
            std::printf("all links are whole\n");
            return base::ok();
        }
        ASSIGN_OR_RETURN(const local::Cut named, link.named());
        ASSIGN_OR_RETURN(const CommandLock lock, CommandLock::take(path));
        ASSIGN_OR_RETURN(const bool done, Faults(path).heal(named));
        link.tell(named, done ? "is whole again" : "was not cut");
        return base::ok();
    }
};

}  // namespace

void add_local_links(CLI::App& local, Chosen& chosen) {
    auto [cut, cut_options] = add_command<CutLink>(
        local, chosen, "cut", "Keep two brokers from reaching each other, until healed");
    cut_options->link.directory.add_option(*cut);
    cut->add_option("ID", cut_options->link.ends, "The two brokers")
        ->required()
        ->expected(2)
        ->check(at_least(0));

    auto [heal, heal_options] =
        add_command<HealLinks>(local, chosen, "heal", "Let two brokers reach each other again");
    heal_options->link.directory.add_option(*heal);
    heal->add_option("ID", heal_options->link.ends, "The two brokers (default: whoever is cut)")
        ->expected(2)
        ->check(at_least(0));
}

}  // namespace cli
