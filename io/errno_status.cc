#include "io/errno_status.h"

#include <cerrno>
#include <system_error>

namespace io {

base::Status errno_status(int error, const std::string& what) {
    std::string why = what + ": " + std::generic_category().message(error);
    switch (error) {
        case ENOENT:
        case ENOTDIR:
            return base::not_found(why);
        case EEXIST:
            return base::already_exists(why);
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return base::exhausted(why);
        case EIO:
        case EROFS:
        case ECONNRESET:
        case ECONNREFUSED:
        case EPIPE:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH:
            return base::unavailable(why);
        case EACCES:
        case EPERM:
        case EISDIR:
        case ENOTEMPTY:
        case EADDRINUSE:
        case EADDRNOTAVAIL:
        case EBUSY:
            return base::precondition(why);
        case EINVAL:
        case ENAMETOOLONG:
            return base::invalid(why);
        default:
            return base::internal(why);
    }
}

}  // namespace io
