//! The error numbers that the program tells apart; errno(3).

pub use libc::{
    E2BIG, EACCES, EAGAIN, EBADF, EDQUOT, EIO, ELOOP, EMFILE, ENFILE, ENOENT, ENOEXEC, ENOMEM,
    ENOSPC, ENOTDIR, EPERM, EROFS, ESTALE, ETXTBSY,
};
