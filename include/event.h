/* event.h: what the kernel side and the source tell the pipeline, defined once for both compilers. */
#ifndef INVIGIL_EVENT_H
#define INVIGIL_EVENT_H

#include <linux/types.h>

/* Changes whenever a body or the meaning of a field changes; a recording carries it. */
#define EV_ABI 4

/*
 * Every record is header, fixed body, tail. X(ENUM, name, kernel): kernel is 1 when BPF makes it,
 * 0 when the loader does (it then travels the same way and stands in the recording).
 */
/* clang-format off */
#define EVENT_TABLE(X)                                                                             \
	X(FORK, fork, 1)       /* a process of the run made another one */                         \
	X(EXEC, exec, 1)       /* a program was executed */                                        \
	X(EXIT, exit, 1)       /* a process (its last thread) ended */                             \
	X(CONNECT, connect, 1) /* a stream socket was connected, or first used */                  \
	X(DATA, data, 1)       /* bytes on the client side of an engine connection */              \
	X(ENV, env, 1)         /* an environment variable was read by name */                      \
	X(TEST, test, 1)       /* the test case that a process runs was named, or is over */       \
	X(WRITE, write, 1)     /* bytes written to a log, to the run's output or into a pipe; never kept */ \
	X(LEAK, leak, 0)       /* one of these bytes' secrets, as the table of secrets names it */ \
	X(CODE, code, 1)       /* a Python code object, before the first stack that needs it */    \
	X(STACK, stack, 1)     /* the Python stack of a thread: at a fork, before other records */  \
	X(FILE, file, 1)       /* a file was opened, changed, renamed or removed */                \
	X(PEEK, peek, 1)       /* another process's environment or memory was opened */            \
	X(BEGIN, begin, 0)     /* first record: what is known about run, host and users */         \
	X(ENGINE, engine, 0)   /* a container engine's listening socket was found */               \
	X(LINK, link, 0)       /* the log just opened was reached through a symbolic link */       \
	X(GAP, gap, 0)         /* something is not seen in this run */                             \
	X(LOST, lost, 0)       /* records of one type were dropped in the kernel */                \
	X(SECRET, secret, 0)   /* a row of the secret table: what a mask's index means, never the value */ \
	X(END, end, 0)         /* COMMAND ended */                                                 \
	X(ATTACK, attack, 1)   /* the run signals or traces the monitor's own processes */           \
	X(LATE, late, 0)       /* a process had started when its probes were attached */          \
	X(MOVED, moved, 0)     /* a process goes on in a run of its own */                        \
	X(LINEAGE, lineage, 1) /* daemon: where a program comes from that may begin a run; before its exec */ \
	X(CLAIM, claim, 0)     /* the run carries the identity of another one's CI job */ \
	X(HASH, hash, 0)       /* SHA-256 of a program that a finding is about */ \
	X(UNSEEN, unseen, 0)   /* what programs of one file read by name is not seen */ \
	X(STRANGER, stranger, 1) /* while an image is built, a container that nobody told executes something */ \
	X(DOCKERFILE, dockerfile, 0) /* of a build, out of a packed context or of a BuildKit session */ \
	X(ATTEMPT, attempt, 1) /* a program was to be executed and was not; by the gate, too, then start is 0 */
/* clang-format on */

enum ev_type {
	EV_UNKNOWN,
#define EV_ENUM(upper, lower, kernel) EV_##upper,
	EVENT_TABLE(EV_ENUM)
#undef EV_ENUM
		EV_TYPES
};

/* Sizes of tails, bytes. */
#define EV_ARGS_MAX      131072u /* whole arguments up to here ... */
#define EV_ARGS_HEAD     98304u  /* ... beyond it the first and the last part */
#define EV_ARGS_LAST     32768u
#define EV_ENV_MAX       65536u /* exec-time environment; it leaves the scrubber as names only */
#define EV_COMPS         24     /* path components from the leaf upward */
#define EV_NAME_MAX      256    /* NAME_MAX + NUL (linux/limits.h) */
#define EV_DATA_MAX      65536u /* bytes of one segment of one transfer */
#define EV_VAR_MAX       256u   /* length of an environment variable's name */
#define EV_TEST_MAX      1024u  /* name of a test case, as pytest puts it */
#define EV_SUN_MAX       108    /* sizeof(sockaddr_un.sun_path) */
#define EV_COMM_MAX      16     /* TASK_COMM_LEN */
#define EV_MARKER_MAX    24     /* name of a variable that tells a CI job, with its NUL */
#define EV_CONTAINER_LEN 64     /* hex digits of a container's id, no NUL */
#define TICKET           (1u << 31) /* in ev_hdr.run: what it is of, user space finds out (daemon) */

struct ev_hdr {
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u64 start; /* start of the process (group leader), CLOCK_BOOTTIME, ns; 0 in loader records */
	__u32 type; /* enum ev_type */
	__u32 run;
	__u32 pid; /* process (tgid) in the init namespace */
	__u32 tid;
	__u32 len;  /* bytes in the tail */
	__u32 want; /* bytes there would have been; want > len says "cut" */
};

/* One step of a path, leaf first. The root itself is not among the steps. */
struct ev_comp {
	__u32 mode; /* st_mode of the inode of this step */
	__u32 uid;
	__u32 gid;
	__u32 len; /* strlen(name); names are at most NAME_MAX */
	char name[EV_NAME_MAX];
};

struct ev_fork {
	__u64 child_start;
	__u32 child_pid;
	__u32 child_vpid;
};

enum ev_fd_kind { FD_CLOSED, FD_TTY, FD_FILE, FD_NULL, FD_PIPE, FD_SOCKET, FD_OTHER, FD_KINDS };

struct ev_fd {
	__u64 ino;      /* of the file, pipe or socket */
	__u32 dev;      /* kernel encoding */
	__u32 kind;     /* enum ev_fd_kind */
	__u32 family;   /* socket: AF_*; else 0 */
	__u32 peer_pid; /* pipe: the parent, when it holds the other end at this moment; else 0 */
};

enum {                     /* ev_exec.flags */
       EXEC_MEMFD = 1,     /* the file is anonymous */
       EXEC_DELETED = 2,   /* the file has no name any more */
       EXEC_THREAD = 4,    /* called from a thread other than the leader */
       EXEC_SETID = 8,     /* effective and real ids differ after it */
       EXEC_CUT_PATH = 16, /* deeper than EV_COMPS */
       EXEC_CUT_CWD = 32,
       EXEC_FAULT = 64,  /* arguments or environment could not be read whole */
       EXEC_GAINS = 128, /* the kernel's own verdict: privilege was gained (AT_SECURE) */
       EXEC_FOUND = 256, /* it was executed before the daemon began, and looked at then */
       EXEC_STEP =
	       512, /* a build's step: first in its container, and just what the Dockerfile says */
};

/* Tail: exe steps, cwd steps, filename as asked (NUL ended), arguments, environment, in this order. */
struct ev_exec {
	__u64 parent_start;
	__u64 exe_ino;
	__u32 exe_dev; /* kernel encoding: major << 20 | minor */
	__u32 ppid;
	__u32 vpid;
	__u32 uid; /* real */
	__u32 gid;
	__u32 euid;
	__u32 egid;
	__u32 flags;
	__u32 exe_comps; /* number of struct ev_comp */
	__u32 cwd_comps;
	__u32 file_len; /* bytes with the NUL */
	__u32 args_len;
	__u32 args_want;
	__u32 env_len;
	__u32 env_want;
	__u32 tty;        /* has a controlling terminal */
	__u32 path_entry; /* by the loader: entry of PATH that has the file, from 1; 0: none has */
	__u32 pad;
	struct ev_fd fd[3];
	char comm[EV_COMM_MAX];
	char container[EV_CONTAINER_LEN]; /* zeroes outside containers of the run */
};

/* What it executes is no step of a Dockerfile that the run builds, or the same step of several runs. */
struct ev_stranger {
	char container[EV_CONTAINER_LEN]; /* behind a shorter id zeroes */
};

/* Tail: the text. The bytes that it came in are blank in a recording. */
struct ev_dockerfile {
	__u64 sk; /* with sockino: the connection's key */
	__u64 sockino;
	__u32 complete;
	__u32 pad;
};

struct ev_exit {
	__u32 status; /* as wait(2) reports it */
	__u32 pad;
	__u64 env_reads; /* reads of variables by name, each of them */
};

enum {                    /* ev_connect.flags */
       CONN_FIRST_IO = 1, /* the connect itself was not seen (inherited, passed, made before) */
       CONN_NAMED = 2,    /* the peer is bound to a name */
};

/* Tail: the name the listener is bound to (as in sockaddr_un, abstract begins with NUL), then the path asked for. */
struct ev_connect {
	__u64 sk; /* with sockino: the connection's key */
	__u64 sockino;
	__u64 peer_ino; /* of the listener's socket file; 0 unknown */
	__u32 peer_dev;
	__s32 ret;          /* 0 or -errno */
	__u32 listener_pid; /* who called listen(2); 0 unknown */
	__u16 family;       /* AF_UNIX, AF_INET, AF_INET6 */
	__u16 port;         /* host order */
	__u8 addr[16];      /* IPv4 in the first four bytes, or IPv6 */
	__u32 flags;
	__u16 name_len;
	__u16 asked_len;
	char listener_comm[EV_COMM_MAX];
	__u64 stack; /* as of struct ev_stack */
};

enum { DATA_SEND, DATA_RECV };

enum { /* ev_data.flags */
       DATA_NODATA =
	       1, /* the bytes passed but could not be read (sendfile, splice, io_uring, fault) */
       DATA_OVER = 2, /* the budget of this message was used up before or in this record */
};

/* Tail: the first bytes of the segment; hdr.want is how many were transferred. */
struct ev_data {
	__u64 sk;
	__u64 sockino;
	__u32 dir;
	__u32 flags;
	__u64 stack; /* as of struct ev_stack, of the first record of a request */
};

/* How a variable was read. X(ENUM, name in the stream) */
#define ENV_TABLE(X)                                                                               \
	X(GETENV, "getenv")                                                                        \
	X(SECURE, "secure_getenv")                                                                 \
	X(PYTHON, "python")                                                                        \
	X(GO, "go")                                                                                \
	X(SHELL, "shell")                                                                          \
	X(COPY, "copy")

enum ev_env_mechanism {
#define ENV_ENUM(upper, text) ENV_##upper,
	ENV_TABLE(ENV_ENUM)
#undef ENV_ENUM
		ENV_MECHANISMS
};

/* Tail: the name; empty when all were copied at once (ENV_COPY). */
struct ev_env {
	__u32 mechanism;
	/*
	 * Where in the script: a hash of the functions << 16 | the position's low bits. The interpreter
	 * moves it a little when it specialises an instruction. 0: not told.
	 */
	__u32 place;
	__u64 stack; /* as of struct ev_stack */
};
#define EV_PLACE_NEAR 8

/* Tail: "path::test (phase)", the value of PYTEST_CURRENT_TEST; empty: none runs any more. */
struct ev_test {
	__u32 failed; /* the name could not be read */
	__u32 pad;
};

/* What was done to a regular file. X(ENUM, action of a log, of another file, type in the stream) */
#define FILE_TABLE(X)                                                                              \
	X(OPEN, "log-open", "file-open", "change")                                                 \
	X(READ, "log-read", "file-read", "access")                                                 \
	X(CHMOD, "chmod", "chmod", "change")                                                       \
	X(CHOWN, "chown", "chown", "change")                                                       \
	X(TRUNCATE, "log-truncate", "file-truncate", "change")                                     \
	X(REMOVE, "log-remove", "file-remove", "deletion")                                         \
	X(RENAME, "log-rename", "file-rename", "change")                                           \
	X(SETCAP, "setcap", "setcap", "change")                                                    \
	X(LINK, "log-link", "file-link", "access") /* loader: opened through a symbolic link */    \
	X(STARTUP, "file-startup", "file-startup",                                                 \
	  "access") /* loader: a start-up variable's file */

enum ev_file_action {
#define FILE_ENUM(upper, log, other, type) FILE_##upper,
	FILE_TABLE(FILE_ENUM)
#undef FILE_ENUM
		FILE_ACTIONS
};

enum {                   /* ev_file.flags */
       FILE_CREATED = 1, /* this open made the file (FMODE_CREATED) */
       FILE_CUT_PATH = 2,
       FILE_SCRIPT = 4, /* for reading, by an interpreter, named like one of its first arguments */
       FILE_MODULE = 8, /* for reading, by CPython: a shared object that is none of its own */
       FILE_LIBRARY = 16, /* for reading, named like a library that was not told before */
};

/* Tail: steps, leaf first: comp[0] is the file, comp[1] its directory. As it is after the action. */
struct ev_file {
	__u64 ino;
	__u64 size;
	__u32 dev;
	__u32 action;     /* enum ev_file_action */
	__u32 open_flags; /* O_* of an open, else 0 */
	__u32 nlink;
	__u32 comps;
	__u32 flags;
	__s32 dirfd;     /* of an open: what asked is relative to */
	__u32 asked_len; /* beyond sizeof(asked) - 1: cut */
	char asked
		[EV_NAME_MAX]; /* the path an open was asked for, or the variable; zeroes behind it */
};

/* How a process looks into another. X(ENUM, mechanism in the stream) */
#define PEEK_TABLE(X)                                                                              \
	X(ENVIRON, "procfs") /* /proc/PID/environ was opened */                                    \
	X(MEM, "procfs")     /* /proc/PID/mem was opened */                                        \
	X(VM_READ, "process_vm_readv")                                                             \
	X(PTRACE, "ptrace")

enum ev_peek_how {
#define PEEK_ENUM(upper, text) PEEK_##upper,
	PEEK_TABLE(PEEK_ENUM)
#undef PEEK_ENUM
		PEEK_HOWS
};

/* Of several looks at the same process in a row only the first is told. */
struct ev_peek {
	__u64 target_start;
	__u32 target_pid;
	__u32 how;
	char target_comm[EV_COMM_MAX];
};

/* Tail: the first bytes; hdr.want is how many were written. It is looked at for secrets and dropped. */
struct ev_write {
	__u64 ino;  /* of the file, pipe or terminal */
	__u32 dev;  /* kernel encoding */
	__u32 kind; /* enum ev_fd_kind */
};

enum {                  /* ev_leak.flags */
       LEAK_UNSEEN = 1, /* no secret: what follows in this file is not looked at */
};

struct ev_leak {
	__u64 ino;
	__u64 sk; /* of an HTTP client's connection; else 0 */
	__u32 dev;
	__u32 kind;   /* enum ev_fd_kind */
	__u32 secret; /* index into the table */
	__u32 flags;
};

#define EV_FRAMES    24
#define EV_TEXT_ROOM 1024u  /* bytes of a code object's file name, and of its own */
#define EV_TABLE_MAX 65536u /* of its line table */

enum {                    /* ev_code.flags */
       CODE_CUT_FILE = 1, /* the end is here, the beginning is not */
       CODE_CUT_NAME = 2,
       CODE_SETTLED = 4, /* texts are UTF-8 and packed: in recordings */
};

/*
 * Tail: file name and name, each in a room of its own, then the line table. The kernel sends texts
 * as str objects hold them: characters of 1, 2 or 4 bytes (their kind; 0: could not be read).
 */
struct ev_code {
	__u64 id;      /* never used again in this run; not 0 */
	__u32 version; /* 0x030b for 3.11: tells the line table's format */
	__s32 first_line;
	__u32 flags;
	__u32 table_len;
	__u16 file_len, file_room;
	__u16 name_len, name_room;
	__u8 file_kind, name_kind;
	__u8 pad[6];
};

/* What the stack belongs to: the fork just told, or a later record of this thread. */
enum stack_reason { STACK_FORK, STACK_ENV, STACK_CONNECT, STACK_SEND, STACK_REASONS };

enum stack_status {
	STACK_PROVEN,
	STACK_NO_LAYOUT, /* a version that is not known */
	STACK_NO_THREAD, /* no thread state says it is this thread's */
	STACK_STATUSES
};

enum {                   /* ev_stack.flags */
       STACK_DEEPER = 1, /* more than EV_FRAMES */
       STACK_BROKEN = 2, /* the next frame could not be read, or did not prove to be one */
       STACK_SYSTEM = 4, /* inside of libc's system() */
       STACK_SHARED = 8, /* the child shares its parent's memory: vfork or posix_spawn */
};

struct ev_frame {
	__u64 code; /* ev_code.id; 0: its record could not be sent */
	__s32 at;   /* instruction: an index in 3.10, otherwise bytes */
	__u32 pad;
};

/*
 * Tail: frames, innermost first. The record it belongs to has its hdr.time; 0 there: no CPython. A
 * stack that was lost is so none of a later record's, and that of a lost record nobody's.
 */
#define EV_STACK_LOST (~0ull)
struct ev_stack {
	__u64 child_start; /* fork: of the child */
	__u32 child_pid;
	__u32 reason; /* enum stack_reason */
	__u32 status; /* enum stack_status */
	__u32 version;
	__u32 flags;
	__u32 pad;
};

/* Tail: pairs "key NUL value NUL"; keys are listed in user/begin.h. */
struct ev_begin {
	__u32 abi;
	__u32 pad;
};

/* Tail: the path it is bound to. */
struct ev_engine {
	__u64 ino;
	__u32 dev;
	__u32 pid;
};

/* Tail: the link's own path. */
struct ev_link {
	__u64 start; /* with pid: the process that followed it */
	__u32 pid;
	__u32 uid;      /* of the link */
	__u32 dir_mode; /* of the directory it lies in */
	__u32 dir_uid;
	__u32 dir_gid;
	__u32 pad;
};

/* Tail: hook NUL reason NUL effect NUL. */
struct ev_gap {
	__u32 required; /* 1: the run is incomplete by it */
	__u32 pad;
};

/* Tail: name of the variable, option, header or format. Stands before the first record that needs it. */
struct ev_secret {
	__u32 index;
	__u32 kind;   /* enum secret_kind of user/scrub.h */
	__u32 length; /* bytes of the secret */
	__u32 pad;
};

struct ev_lost {
	__u64 count;
	__u32 type; /* enum ev_type; EV_UNKNOWN: not attributable */
	__u32 pad;
};

struct ev_end {
	__s32 status; /* wait(2) status of COMMAND; -1 unknown */
	__u32 pad;
};

/* Whom the run may not touch. X(ENUM, name in the stream) */
#define ATTACK_TABLE(X)                                                                            \
	X(MONITOR, "monitor")                                                                      \
	X(GUARDIAN, "guardian")                                                                    \
	X(ATTACHER, "attacher")

enum attack_target {
#define ATTACK_ENUM(upper, text) ATTACK_##upper,
	ATTACK_TABLE(ATTACK_ENUM)
#undef ATTACK_ENUM
		ATTACK_TARGETS
};

enum { ATTACK_SIGNAL, ATTACK_TRACE, ATTACK_HOWS };

struct ev_attack {
	__u32 target; /* enum attack_target */
	__u32 target_pid;
	__u32 how;
	__u32 signal;
};

struct ev_late {
	__u64 start;
	__u32 pid;
	__u32 pad;
};

/* Tail: the other run's id. */
struct ev_moved {
	__u32 pid;
	__u32 pad;
};

#define EV_ANCESTORS 16
#define EV_GROUPS    8
#define EV_GROUP_MAX 128 /* of a cgroup's name; beyond it is cut */

struct ev_ancestor {
	__u64 start;
	__u32 pid;
	__u32 pad;
};

/* Tail: steps of the parent's program, leaf first. */
struct ev_lineage {
	__u32 ancestors; /* parent first */
	__u32 groups; /* of the path in the unified hierarchy, leaf first; the root is not among them */
	__u32 steps;
	__u32 was; /* the ticket it had from its parent, which was not decided yet; else 0 */
	struct ev_ancestor ancestor[EV_ANCESTORS];
	char group[EV_GROUPS][EV_GROUP_MAX];
};

/* Tail: the other run's id. */
struct ev_claim {
	__u32 uid;        /* that it runs as */
	__u32 other_user; /* 1: it is another one */
};

enum hash_status {
	HASH_DONE,
	HASH_CHANGED, /* written to since it was executed */
	HASH_GONE,    /* no file, or another one, is there any more, or it cannot be read */
	HASH_LARGE,
	HASH_LATE, /* it did not come in time */
	HASH_STATUSES
};

/* Tail: the path, as of the exec; empty: not known whole. */
struct ev_hash {
	__u64 ino;
	__u64 start; /* with pid: the process */
	__u64 size;
	__u32 dev; /* kernel encoding */
	__u32 pid;
	__u32 status;    /* enum hash_status */
	__u32 cython;    /* 1: a module that Cython compiled */
	__u8 sha256[32]; /* of HASH_DONE and HASH_CHANGED */
};

/* Tail: why, of at most EV_UNSEEN_MAX bytes. As struct ev_exec names the file. */
#define EV_UNSEEN_MAX 128u
struct ev_unseen {
	__u64 ino;
	__u32 dev; /* kernel encoding */
	__u32 pad;
};

/* Tail: the file as asked (NUL ended), then the arguments' begin, NUL separated. */
#define EV_ATTEMPT_MAX 8192u
enum { /* ev_attempt.flags */
       ATTEMPT_LOOK =
	       1, /* the gate looked at the file, and that is what it expects; else it is the kernel's answer */
};
struct ev_attempt {
	__u32 error; /* errno */
	__u32 flags;
	__u32 file_len; /* bytes with the NUL */
	__u32 args_len;
};

#define EV_ASSERT(name, size)                                                                      \
	_Static_assert(sizeof(struct ev_##name) == (size), "ABI: struct ev_" #name " changed size")
EV_ASSERT(hdr, 40);
EV_ASSERT(comp, 272);
EV_ASSERT(fork, 16);
EV_ASSERT(fd, 24);
EV_ASSERT(exec, 240);
EV_ASSERT(exit, 16);
EV_ASSERT(connect, 88);
EV_ASSERT(data, 32);
EV_ASSERT(env, 16);
EV_ASSERT(test, 8);
EV_ASSERT(late, 16);
EV_ASSERT(moved, 8);
EV_ASSERT(ancestor, 16);
EV_ASSERT(lineage, 1296);
EV_ASSERT(claim, 8);
EV_ASSERT(write, 16);
EV_ASSERT(leak, 32);
EV_ASSERT(code, 40);
EV_ASSERT(frame, 16);
EV_ASSERT(stack, 32);
EV_ASSERT(file, 304);
EV_ASSERT(peek, 32);
EV_ASSERT(begin, 8);
EV_ASSERT(engine, 16);
EV_ASSERT(link, 32);
EV_ASSERT(gap, 8);
EV_ASSERT(secret, 16);
EV_ASSERT(lost, 16);
EV_ASSERT(end, 8);
EV_ASSERT(attack, 16);
EV_ASSERT(hash, 72);
EV_ASSERT(unseen, 16);
EV_ASSERT(attempt, 16);

#endif
