#include "metadata/options_doc.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "metadata/broker_options.h"
#include "metadata/topic_options.h"

namespace metadata {
namespace {

TEST(OptionsDoc, IsWhatTheTablesSay) {
    std::ifstream file(MOLDAU_DOCS "/options.md");
    std::stringstream kept;
    kept << file.rdbuf();
    EXPECT_EQ(kept.str(), options_markdown())
        << "renew it: build/release/moldau config docs > docs/options.md";
}

TEST(OptionsDoc, EverySynonymIsABrokerOption) {
    for (const auto* table : {&topic_options(), &broker_options()})
        for (const auto& o : table->all()) {
            EXPECT_FALSE(o.doc.empty()) << o.name;
            for (const auto& s : o.synonyms) {
                const auto* other = broker_options().find(s.name);
                ASSERT_NE(other, nullptr) << o.name << " ← " << s.name;
                EXPECT_EQ(other->choices, o.choices) << o.name;
            }
        }
}

TEST(OptionsDoc, NoOptionIsForeignToo) {
    for (const auto& row : {"ssl.keystore.location", "authorizer.class.name", "super.users"})
        EXPECT_EQ(foreign_key(row).answer, Foreign::Answer::refused) << row;
    for (const auto& row : {"zookeeper.connect", "metric.reporters", "replica.fetch.max.bytes",
                            "producer.purgatory.purge.interval.requests", "group.share.max.size"})
        EXPECT_EQ(foreign_key(row).answer, Foreign::Answer::ignored) << row;
    EXPECT_EQ(foreign_key("num.partition").answer, Foreign::Answer::unknown);
}

}  // namespace
}  // namespace metadata
