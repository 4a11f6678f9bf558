#pragma once
#include <functional>
#include <optional>

#include "controller/decision.h"

namespace controller {

/// Who may lead now: the first replica of the ISR that is alive, or else of the ELR (KIP-966). -1
/// if nobody may without risk.
base::BrokerId elect(const metadata::Partition&, const std::function<bool(base::BrokerId)>& alive);

/// The record that makes `leader` lead (-1: nobody), if it does not already. A leader from the ELR
/// joins the ISR.
std::optional<v1::Record> leader_change(const base::TopicId&, const metadata::Partition&,
                                        base::BrokerId leader);

}  // namespace controller
