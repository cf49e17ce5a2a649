//! The system call filter of programs in an image; see seccomp(2).
//!
//! It denies the calls that the default profile of Docker denies to a container with the capabilities of
//! [`super::capability`], except those that create and use nested namespaces: Apptainer in an image needs them. Source:
//! `seccomp/default.json` of github.com/moby/profiles at cd3bed8, read 2026-12-01.

use std::io;

use seccompiler::sock_filter;

/// Denied on every architecture.
const DENIED: &[libc::c_long] = &[
    // Keys of the user: the kernel does not know containers there.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The kernel and the machine.
    libc::SYS_acct,
    libc::SYS_bpf,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_nfsservctl,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    // Calls with a large attack surface, and other processes.
    libc::SYS_fanotify_init,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_lookup_dcookie,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_madvise,
    libc::SYS_userfaultfd,
    // Placement of memory, which Docker allows only with CAP_SYS_NICE.
    libc::SYS_get_mempolicy,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_set_mempolicy,
    libc::SYS_set_mempolicy_home_node,
];

/// Denied in addition on x86-64, which has older calls.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[libc::c_long] = &[
    libc::SYS__sysctl,
    libc::SYS_afs_syscall,
    libc::SYS_getpmsg,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_putpmsg,
    libc::SYS_security,
    libc::SYS_sysfs,
    libc::SYS_tuxcall,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_vserver,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// Denied families of sockets. `AF_VSOCK` reaches the host of a virtual machine from any network namespace.
const DENIED_FAMILIES: [u32; 2] = [libc::AF_ALG as u32, libc::AF_VSOCK as u32];
/// Allowed arguments of personality(2): Linux and its variants without security relevance, and the query.
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, u32::MAX];

/// `AUDIT_ARCH_*` in linux/audit.h.
#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;
const ARCH_I386: u32 = 0x4000_0003;
/// Numbers of i386 (arch/x86/entry/syscalls/syscall_32.tbl), for 32-bit programs on x86-64: the calls of [`DENIED`] and the
/// older ones, and `socketcall`, whose arguments a filter can't read. Programs since glibc 2.22 use `socket`.
const DENIED_I386: &[u32] = &[
    25, 51, 62, 79, 86, 87, 88, 101, 102, 103, 110, 111, 113, 115, 128, 129, 131, 135, 149, 166, 169, 188, 189, 223,
    253, 264, 273, 274, 275, 276, 283, 286, 287, 288, 294, 317, 336, 338, 342, 349, 350, 357, 374, 404, 425, 426, 427,
    438, 440, 443, 450,
];
const SOCKETS_I386: [u32; 2] = [359, 360];
const PERSONALITY_I386: u32 = 136;
const PRLIMIT_I386: u32 = 340;
/// The process whose limits a program may not change: the first of its process namespace, which starts the commands.
const FIRST_PROCESS: [u32; 1] = [1];
/// First number of the x32 variant of x86-64.
const X32: u32 = 0x4000_0000;

// Instructions of classic BPF (linux/bpf_common.h) and offsets in `struct seccomp_data` (linux/seccomp.h).
const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// Lower half of the first argument on a little-endian machine. The calls that are checked take an `int` or a process id.
const FIRST_ARGUMENT: u32 = 16;
const ALLOW: u32 = 0x7fff_0000;
const FAIL: u32 = 0x0005_0000;

const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Denies every system call of the filter to this thread and the programs that it starts, with `EPERM`. Sets
/// `no_new_privs`.
///
/// # Errors
/// Fails if the kernel has no filters or a sandbox around this process refuses.
pub fn apply() -> io::Result<()> {
    seccompiler::apply_filter(&program()).map_err(|error| match error {
        seccompiler::Error::Prctl(source) | seccompiler::Error::Seccomp(source) => source,
        other => io::Error::other(other),
    })
}

fn program() -> Vec<sock_filter> {
    let denied = DENIED.iter().chain(DENIED_HERE).filter_map(|number| u32::try_from(*number).ok());
    let number = |number: libc::c_long| u32::try_from(number).unwrap_or(u32::MAX);
    let sockets = [number(libc::SYS_socket), number(libc::SYS_socketpair)];
    let native = block(denied, &sockets, number(libc::SYS_personality), number(libc::SYS_prlimit64));
    let mut program = vec![instruction(LOAD, 0, 0, ARCHITECTURE)];
    append_if_equal(&mut program, ARCH, native);
    if cfg!(target_arch = "x86_64") {
        let i386 = block(DENIED_I386.iter().copied(), &SOCKETS_I386, PERSONALITY_I386, PRLIMIT_I386);
        append_if_equal(&mut program, ARCH_I386, i386);
    }
    program.push(fail(libc::ENOSYS));
    program
}

/// Appends a block that runs if the loaded value equals `value`. The block ends with a return.
fn append_if_equal(program: &mut Vec<sock_filter>, value: u32, block: Vec<sock_filter>) {
    program.push(instruction(JUMP_IF_EQUAL, 1, 0, value));
    program.push(instruction(JUMP, 0, 0, u32::try_from(block.len()).unwrap_or_default()));
    program.extend(block);
}

/// Returns the instructions for one architecture.
fn block(denied: impl Iterator<Item = u32>, sockets: &[u32], personality: u32, prlimit: u32) -> Vec<sock_filter> {
    let mut block = vec![instruction(LOAD, 0, 0, NUMBER)];
    if cfg!(target_arch = "x86_64") {
        block.extend([instruction(JUMP_IF_AT_LEAST, 0, 1, X32), fail(libc::ENOSYS)]);
    }
    for number in denied {
        block.extend([instruction(JUMP_IF_EQUAL, 0, 1, number), fail(libc::EPERM)]);
    }
    for socket in sockets {
        append_if_equal(&mut block, *socket, argument(&DENIED_FAMILIES, fail(libc::EPERM), allow()));
    }
    append_if_equal(&mut block, personality, argument(&PERSONALITIES, allow(), fail(libc::EPERM)));
    append_if_equal(&mut block, prlimit, argument(&FIRST_PROCESS, fail(libc::EPERM), allow()));
    block.push(allow());
    block
}

/// Returns instructions that return `listed` if the first argument is one of `values`, and `other` if it is not.
fn argument(values: &[u32], listed: sock_filter, other: sock_filter) -> Vec<sock_filter> {
    let mut block = vec![instruction(LOAD, 0, 0, FIRST_ARGUMENT)];
    for value in values {
        block.extend([instruction(JUMP_IF_EQUAL, 0, 1, *value), listed.clone()]);
    }
    block.push(other);
    block
}

fn allow() -> sock_filter {
    instruction(RETURN, 0, 0, ALLOW)
}

fn fail(errno: i32) -> sock_filter {
    instruction(RETURN, 0, 0, FAIL | u32::try_from(errno).unwrap_or_default())
}
