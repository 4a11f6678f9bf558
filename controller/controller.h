#pragma once
#include <memory>
#include <span>

#include "base/status.h"
#include "controller/entry.h"
#include "metadata/delta.h"

namespace controller {

/// The replicated state: an image, and the one way to change it. Every node holds one and replays
/// the same entries; decisions are made elsewhere, from its image.
class Controller {
  public:
    explicit Controller(metadata::ImagePtr image) : image_(std::move(image)) {}

    const metadata::ImagePtr& image() const { return image_; }

    /// Replays entries, of which the first must be the next one; answers with what they changed.
    /// kInvalidArgument, and nothing changed, if they do not follow or a record does not fit: this
    /// node must stop.
    base::Result<std::shared_ptr<const metadata::Delta>> replay(std::span<const Entry>);

  private:
    metadata::ImagePtr image_;
};

}  // namespace controller
