//! The error numbers that the program tells apart; errno(3).

pub use libc::{
    E2BIG, EACCES, EAGAIN, EBUSY, EDQUOT, EINVAL, ELOOP, EMFILE, ENFILE, ENOENT, ENOEXEC, ENOMEM,
    ENOSPC, ENOTDIR, EPERM, EROFS, ETXTBSY,
};
