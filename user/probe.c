/* probe.c: the table of probes and the trials of kernel features behind it. */
#include <errno.h>
#include <stdint.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <sched.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "buf.h"
#include "gate.h"
#include "kernel_btf.h"
#include "probe.h"
#include "uprobe.h"

#define ENV_READERS                                                                                \
	"on_getenv", "on_go_getenv", "on_env_copy", "on_test_variable", "on_python_encode",        \
		"on_mapping"

#define BYTES_FEXIT                                                                                \
	"on_unix_send", "on_unix_recv", "on_unix_splice", "on_tcp_send", "on_tcp_recv",            \
		"on_tcp_splice"

/* arm64 has no older ones than openat. */
#ifdef __x86_64__
#define SYS_OPENS                                                                                  \
	"on_sys_open@openat", "on_sys_open@openat2", "on_sys_open@open", "on_sys_open@creat"
#else
#define SYS_OPENS "on_sys_open@openat", "on_sys_open@openat2"
#endif

/* clang-format off */
const struct need needs[] = {
	/* Before "exec": the exec that begins a ticket is its first record. */
	{ "CI jobs", true, "runs begin by themselves", NULL, { { "tp_btf", FEAT_NONE, { "on_job_exec", "on_found" }, NULL } } },
	{ "exec", true, "executed programs", NULL, { { "tp_btf", FEAT_NONE, { "on_exec" }, NULL } } },
	{ "fork", true, "processes of the run", NULL, { { "tp_btf", FEAT_NONE, { "on_fork" }, NULL } } },
	{ "exit", true, "ends of processes", NULL, { { "tp_btf", FEAT_NONE, { "on_exit" }, NULL } } },
	{ "engine connect", true, "connects to container engines", NULL,
	  { { "fexit", FEAT_TRAMPOLINE, { "on_unix_connect", "on_inet_connect" }, NULL },
	    { "tracepoint", FEAT_TRACEFS, { "on_sys_connect" },
	      "32-bit, x32 and io_uring connects are seen at their first bytes alone" } } },
	{ "engine bytes", true, "Docker API calls",
	  "by fexit what sendfile and splice move: counted, not read",
	  { { "fexit", FEAT_SENDPAGE, { BYTES_FEXIT, "on_unix_page", "on_tcp_page" }, NULL },
	    { "fexit", FEAT_TRAMPOLINE, { BYTES_FEXIT }, NULL },
	    { "socket tracepoint and kernel's copy", FEAT_SKB_DYNPTR,
	      { "on_sock_send", "on_sock_recv", "on_data_ready", "on_consume_skb" },
	      "over TCP, bytes by sendfile, splice, sendmmsg, io_uring, int 0x80 or x32 are counted, not read; what splice receives: not even counted" },
	    { "socket tracepoint", FEAT_SOCK_TRACEPOINT, { "on_sock_send", "on_sock_recv" },
	      "bytes by sendfile, splice, sendmmsg, io_uring, int 0x80 or x32 are counted, not read; what splice receives: not even counted" },
	    { "system calls", FEAT_TRACEFS,
	      { "on_sys_transfer@read", "on_sys_transfer@write", "on_sys_transfer@readv", "on_sys_transfer@writev",
		"on_sys_transfer@sendto", "on_sys_transfer@recvfrom", "on_sys_transfer@sendmsg", "on_sys_transfer@recvmsg",
		"on_sys_transfer@sendfile64", "on_sys_transfer@splice" },
	      "bytes by sendfile and splice are counted, not read; by sendmmsg, io_uring, int 0x80 or x32 not even counted" } } },
	{ "files opened for writing", false, "log files", NULL,
	  { { "fexit", FEAT_FILP_OPEN, { "on_file_open" }, NULL },
	    { "fexit", FEAT_FILE_OPEN, { "on_file_open@do_file_open" }, NULL },
	    { "tracepoint", FEAT_TRACEFS, { SYS_OPENS },
	      "opens by io_uring and by 32-bit and x32 programs" } } },
	{ "file changes", false, "modes, owners, truncations and removals of logs; set-id bits", NULL,
	  { { "fexit", FEAT_TRAMPOLINE, { "on_setattr", "on_unlink", "on_rename", "on_setxattr" }, NULL },
	    { "inode times", FEAT_CTIME, { "on_ctime@inode_set_ctime_to_ts", "on_ctime@ctime_ns_xchg", "on_ctime@ctime_xchg_skip" },
	      "changes by io_uring and x32; a file with several names is told by one of them" } } },
	{ "looks into processes", false, "reads of another process's memory",
	  "descriptors of /proc/PID/environ that were opened outside the run; ptrace and process_vm_readv by x32",
	  { { "fexit", FEAT_TRAMPOLINE, { "on_ptrace_access" }, NULL },
	    { "tracepoint", FEAT_TASK_BY_PID, { "on_sys_vm_readv", "on_sys_ptrace" }, "looks by 32-bit and x32 programs" } } },
	{ "bytes written", false, "secrets in logs, in the run's output and on their way to the network",
	  "mmap'ed and io_uring writes, pwritev, by fexit writev; of a pipe the first 16 KiB, of a file 4 MiB; TLS",
	  { { "fexit", FEAT_TRAMPOLINE, { "on_vfs_write" }, NULL },
	    { "tracepoint", FEAT_TRACEFS, { "on_sys_write", "on_sys_write@pwrite64", "on_sys_writev" }, "writes by 32-bit and x32 programs" } } },
	{ "container processes", false, "what containers of the run execute",
	  "what a container's own runtime put deeper than two groups below the container's",
	  { { "tp_btf", FEAT_NONE, { "on_cgroup_attach", "on_cgroup_fork" }, NULL } } },
	{ "environment reads", false, "variables read by name",
	  "Java, Perl, PyPy, Python 2, static programs without symbols, dash of builds that are not known: not by name; first reads by libraries that come by dlopen, unless --gate=mmap holds them",
	  { { "uprobe.s", FEAT_UPROBE_SLEEPABLE, { ENV_READERS }, NULL },
	    { "uprobe at entry and return", FEAT_LOOP, { ENV_READERS, "on_getenv_return" },
	      "names by Python and Go on pages that are not in memory" },
	    { "uprobe at entry and return, C and Go", FEAT_NONE,
	      { "on_getenv_libc", "on_getenv_secure", "on_go_getenv", "on_env_copy", "on_getenv_return" },
	      "os.environ of Python, names by bash and dash, test cases; names by Go on pages that are not in memory" } } },
	{ "attacks", false, "what the run does to the monitor's own processes", "PTRACE_SEIZE, refused attempts",
	  { { "tp_btf", FEAT_NONE, { "on_signal" }, NULL } } },
	{ "failed execs", false, "programs that were to be executed and were not",
	  "only when asked for (--failed-execs), of 32-bit and x32 callers never; otherwise the exec gate tells what fails because of the file",
	  { { "tracepoint", FEAT_TRACEFS, { "on_sys_exec@execve", "on_sys_exec@execveat" }, NULL } } },
	{ "exec gate", false, "variables that a program reads before probes are attached to its files",
	  "32-bit and x32 programs",
	  { { "seccomp, fatal signals only", FEAT_GATE_KILLABLE, { NULL }, NULL },
	    { "seccomp", FEAT_GATE, { NULL }, "programs whose held exec a signal interrupts" } } },
	{ "source lines", false, "which line of the script did it",
	  "scripts of other interpreters than CPython 3.8 to 3.13; free-threaded builds",
	  { { "uprobe", FEAT_LOOP, { "on_python_start", "on_system" }, NULL } } },
};
/* clang-format on */
const size_t n_needs = ARRAY_SIZE(needs);

/* r0 = 0; exit */
static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
	{ .code = BPF_JMP | BPF_EXIT },
};

enum known {
	KNOWN_SEND,
	KNOWN_SENDPAGE,
	KNOWN_SOCK_TRACEPOINT,
	KNOWN_SKB_TRACEPOINT,
	KNOWN_SKB_DYNPTR,
	KNOWN_CTIME,
	KNOWN_TASK_BY_PID,
	KNOWN_TCP_RECV,
	KNOWN_SETATTR,
	KNOWN_FILP_OPEN,
	KNOWN_FILE_OPEN,
	KNOWN_STORAGE_BUSY,
	KNOWN_STORAGE_RECUR,
	KNOWN
};

static int known_ids[KNOWN]; /* 0: not looked for */
static unsigned known_params[KNOWN];

static int known_id(enum known k)
{
	static const struct kernel_type known[KNOWN] = {
		{ "unix_stream_sendmsg", BTF_KIND_FUNC },
		{ "unix_stream_sendpage", BTF_KIND_FUNC },
		{ "btf_trace_sock_send_length", BTF_KIND_TYPEDEF },
		{ "btf_trace_consume_skb", BTF_KIND_TYPEDEF },
		{ "bpf_dynptr_from_skb", BTF_KIND_FUNC },
		{ "btf_trace_ctime_ns_xchg", BTF_KIND_TYPEDEF },
		{ "bpf_task_from_vpid", BTF_KIND_FUNC },
		{ "tcp_recvmsg", BTF_KIND_FUNC },
		{ "notify_change", BTF_KIND_FUNC },
		{ "do_filp_open", BTF_KIND_FUNC },
		{ "do_file_open", BTF_KIND_FUNC },
		{ "bpf_task_storage_busy", BTF_KIND_VAR },
		{ "bpf_task_storage_get_recur", BTF_KIND_FUNC },
	};

	if (!known_ids[k])
		kernel_types_find(known, KNOWN, known_ids, known_params);
	return known_ids[k];
}

unsigned probe_tcp_recv_params(void)
{
	return known_id(KNOWN_TCP_RECV) > 0 ? known_params[KNOWN_TCP_RECV] : 0;
}

unsigned probe_setattr_params(void)
{
	return known_id(KNOWN_SETATTR) > 0 ? known_params[KNOWN_SETATTR] : 0;
}

/* Loads a program for an attach point and attaches it, so often. 0 or -errno. */
static int try_program_times(enum bpf_attach_type type, enum known k, const struct bpf_insn *insns,
			     size_t n, unsigned times)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int id = known_id(k), prog, err = 0;

	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "trial", "GPL", insns, n, &opts);
	if (prog < 0)
		return prog;
	while (times-- && !err) {
		int link = bpf_raw_tracepoint_open(NULL, prog);

		if (link < 0)
			err = link;
		else
			close(link);
	}
	close(prog);
	return err;
}

static int try_program(enum bpf_attach_type type, enum known k, const struct bpf_insn *insns,
		       size_t n)
{
	return try_program_times(type, k, insns, n, 1);
}

static int try_types(void)
{
	return access(KERNEL_BTF, R_OK) ? -errno : 0;
}

/*
 * bpf_probe_read_kernel(r10 - 8, 8, NULL), which lockdown=confidentiality refuses (kernel_lockdown.7).
 * libbpf_probe_bpf_helper() of 1.1 does not know how kernels since 6.8 say so.
 */
static int try_kernel_memory(void)
{
	static const struct bpf_insn insns[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 8 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	int prog =
		bpf_prog_load(BPF_PROG_TYPE_KPROBE, "trial", "GPL", insns, ARRAY_SIZE(insns), NULL);

	if (prog < 0)
		return prog;
	close(prog);
	return 0;
}

static int try_trampoline(void)
{
	return try_program(BPF_TRACE_FEXIT, KNOWN_SEND, nothing, ARRAY_SIZE(nothing));
}

static int try_sendpage(void)
{
	return try_program(BPF_TRACE_FEXIT, KNOWN_SENDPAGE, nothing, ARRAY_SIZE(nothing));
}

/* Since 5.13 (f3a95075549e). */
static int try_reattach(void)
{
	return try_program_times(BPF_TRACE_FEXIT, KNOWN_SEND, nothing, ARRAY_SIZE(nothing), 2);
}

static int try_filp_open(void)
{
	return try_program(BPF_TRACE_FEXIT, KNOWN_FILP_OPEN, nothing, ARRAY_SIZE(nothing));
}

static int try_file_open(void)
{
	return try_program(BPF_TRACE_FEXIT, KNOWN_FILE_OPEN, nothing, ARRAY_SIZE(nothing));
}

static int try_sock_tracepoint(void)
{
	return try_program(BPF_TRACE_RAW_TP, KNOWN_SOCK_TRACEPOINT, nothing, ARRAY_SIZE(nothing));
}

/* bpf_dynptr_from_skb(skb, 0, &p) in the tracepoint that needs it: for such programs since 6.11 */
static int try_skb_dynptr(void)
{
	struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, -16 },
		{ BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	int id = known_id(KNOWN_SKB_DYNPTR), err = try_sock_tracepoint();

	if (err || id < 0)
		return err ? err : id;
	insns[4].imm = id;
	return try_program(BPF_TRACE_RAW_TP, KNOWN_SKB_TRACEPOINT, insns, ARRAY_SIZE(insns));
}

static int try_ctime(void)
{
	return try_program(BPF_TRACE_RAW_TP, KNOWN_CTIME, nothing, ARRAY_SIZE(nothing));
}

/* By its kernel's names alone: what happens only now and then cannot be tried. */
static int try_storage_found(void)
{
	return known_id(KNOWN_STORAGE_BUSY) > 0 && known_id(KNOWN_STORAGE_RECUR) < 0 ? -EBUSY : 0;
}

static int try_uprobe_sleepable(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "trial", "GPL", nothing, ARRAY_SIZE(nothing),
				 &opts);

	if (prog < 0)
		return prog;
	close(prog);
	return 0;
}

/* Since 5.17; whatever else the object for newer kernels needs is older. */
static int try_loop(void)
{
	int works = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_loop, NULL);

	return works == 1 ? 0 : works ? works : -EOPNOTSUPP;
}

/* Where nobody mounted tracefs, it is mounted for this process alone. */
static int try_tracefs(void)
{
	static const char dir[] = "/sys/kernel/tracing",
			  probe[] = "/sys/kernel/tracing/events/syscalls";

	if (!access(probe, F_OK))
		return 0;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    mount("tracefs", dir, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return -errno;
	return access(probe, F_OK) ? -errno : 0;
}

static int try_gate(void)
{
	return gate_try(false);
}

static int try_gate_killable(void)
{
	return gate_try(true);
}

/* Since 6.14; beside it the tracepoints. */
static int try_task_by_pid(void)
{
	int id = known_id(KNOWN_TASK_BY_PID);

	return id < 0 ? id : try_tracefs();
}

static struct {
	const char *name;
	int (*try)(void);
	int result;         /* 1 not tried, 0 works, -errno */
	const char *advice; /* nothing can be traced without it: what to do */
} features[FEATURES] = {
	[FEAT_NONE] = { "none needed", NULL, 0, NULL },
	[FEAT_TYPES] = { "the kernel's types", try_types, 1,
			 "the kernel's types are not there (" KERNEL_BTF
			 "): mount sysfs, boot a kernel with CONFIG_DEBUG_INFO_BTF=y, or name a copy by --btf FILE" },
	[FEAT_KERNEL_MEMORY] = { "reads of kernel memory", try_kernel_memory, 1,
				 "this kernel lets no program read its memory: boot it without "
				 "lockdown=confidentiality (/sys/kernel/security/lockdown)" },
	[FEAT_TRAMPOLINE] = { "fexit trampolines", try_trampoline, 1, NULL },
	[FEAT_SENDPAGE] = { "fexit of unix_stream_sendpage", try_sendpage, 1, NULL },
	[FEAT_REATTACH] = { "trampolines attached again", try_reattach, 1, NULL },
	[FEAT_FILP_OPEN] = { "fexit of do_filp_open", try_filp_open, 1, NULL },
	[FEAT_FILE_OPEN] = { "fexit of do_file_open", try_file_open, 1, NULL },
	[FEAT_SOCK_TRACEPOINT] = { "sock_send_length tracepoint", try_sock_tracepoint, 1, NULL },
	[FEAT_SKB_DYNPTR] = { "socket buffers in tracepoints", try_skb_dynptr, 1, NULL },
	[FEAT_CTIME] = { "inode time tracepoints", try_ctime, 1, NULL },
	[FEAT_LOOP] = { "loops and task storage", try_loop, 1, NULL },
	[FEAT_STORAGE_FOUND] = { "task storage that is always found", try_storage_found, 1, NULL },
	[FEAT_UPROBE_SLEEPABLE] = { "sleepable uprobes", try_uprobe_sleepable, 1, NULL },
	[FEAT_TASK_BY_PID] = { "processes by number", try_task_by_pid, 1, NULL },
	[FEAT_UPROBE_MULTI] = { "probes by uprobe_multi", uprobe_multi_try, 1, NULL },
	[FEAT_TRACEFS] = { "system call tracepoints", try_tracefs, 1, NULL },
	[FEAT_GATE] = { "seccomp user notification", try_gate, 1, NULL },
	[FEAT_GATE_KILLABLE] = { "seccomp killable waits", try_gate_killable, 1, NULL },
};

bool feature_works(enum feature f)
{
	if (features[f].result == 1)
		features[f].result = features[f].try();
	return !features[f].result;
}

const char *feature_name(enum feature f)
{
	return features[f].name;
}

const char *feature_why(enum feature f)
{
	return feature_works(f) ? "works" : strerror(-features[f].result);
}

const char *features_advice(void)
{
	for (int f = 0; f < FEATURES; f++)
		if (features[f].advice && !feature_works(f))
			return features[f].advice;
	return NULL;
}

enum when need_when(const struct need *n)
{
	static const char *const always[] = { "exec", "fork", "exit", "engine connect" };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (!strcmp(n->name, always[i]))
			return WHEN_ALWAYS;
	return n == needs ? WHEN_DAEMON : WHEN_RUN; /* the first row */
}

bool need_is_env(const struct need *n)
{
	return !strcmp(n->name, "environment reads") || !strcmp(n->name, "source lines");
}

static const char *asked; /* a tier's name; NULL: whichever works */

void engine_bytes_ask(const char *how)
{
	static const struct {
		const char *how, *tier;
	} ways[] = { { "fexit", "fexit" },
		     { "copy", "socket tracepoint and kernel's copy" },
		     { "tracepoint", "socket tracepoint" },
		     { "syscall", "system calls" } };

	for (size_t i = 0; how && i < ARRAY_SIZE(ways); i++)
		if (!strcmp(how, ways[i].how))
			asked = ways[i].tier;
}

static bool failures_asked;

void failed_execs_ask(bool ask)
{
	failures_asked = ask;
}

bool failed_execs_asked(void)
{
	return failures_asked;
}

bool need_asked(const struct need *n)
{
	return failures_asked || strcmp(n->name, "failed execs");
}

const struct tier *need_tier(const struct need *n)
{
	bool choice = asked && !strcmp(n->name, "engine bytes");

	for (const struct tier *t = n->tiers; t < n->tiers + ARRAY_SIZE(n->tiers) && t->name; t++)
		if (feature_works(t->feature) && (!choice || !strcmp(t->name, asked)))
			return t;
	return NULL;
}
