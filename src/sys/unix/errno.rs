//! The error numbers that the program tells apart; errno(3).

pub use libc::{
    E2BIG, EACCES, EAGAIN, EBADF, EBUSY, EDQUOT, EINVAL, EIO, ELOOP, EMFILE, ENFILE, ENOENT,
    ENOEXEC, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS, ESTALE, ETXTBSY,
};
