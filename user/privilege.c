/* privilege.c: gives up capabilities, user and system calls that a process of ours does not need any more. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "buf.h"
#include "host.h"
#include "privilege.h"
#include "probe.h"

#define D (1u << PRIVILEGE_DAEMON)
#define M (1u << PRIVILEGE_MONITOR)
#define A (1u << PRIVILEGE_ATTACHER)
#define S (1u << PRIVILEGE_SCAN)
#define H (1u << PRIVILEGE_HASH)

/*
 * Without any of them a test fails: tests/e2e/privilege.sh leaves out each, and invigil(8) has the list. CAP_BPF is
 * for loading: what bpf(2) does later wants it before 5.19 alone (c8644cd0efe7), and there CAP_SYS_ADMIN stays,
 * without which tests/vm/caps.sh fails.
 */
/* clang-format off */
static const struct {
	int cap;
	unsigned who;
} kept[] = {
	{ CAP_PERFMON,         D | M | A },		/* tracepoints and probes in files, also late */
	{ CAP_SYS_PTRACE,      D | M | A | S | H },	/* /proc/PID/{exe,root,cwd,fd,environ} of the runs */
	{ CAP_DAC_READ_SEARCH, D | M | A | S | H },	/* programs and folders that only their owner may read */
	{ CAP_KILL,            D | M },			/* ends own children, which are another user's */
	{ CAP_SETUID,          D | M },			/* children become their own user, and nobody else: the filter */
	{ CAP_SETGID,          D | M },
	{ CAP_CHOWN,           M },			/* a recording goes to the user who called sudo */
};
/* clang-format on */

#define USER_NONE 65534u

/* Asked for once, while its database can be read; what is forked knows it. */
static uint32_t children_user(void)
{
	static uint32_t uid;

	if (!uid && (!user_number("invigil", &uid) || !uid))
		uid = USER_NONE;
	return uid;
}

/*
 * Debian's kernels: where kernel.perf_event_paranoid is above 2, which others do not know, perf_event_open(2)
 * wants CAP_SYS_ADMIN and CAP_PERFMON is not enough (their patch "perf: Allow further restriction of
 * perf_event_open"). By it the daemon attaches tracepoints of system calls, and all attach probes in files
 * where there is no uprobe_multi (6.6): for those 6.1 was seen to want CAP_SYS_ADMIN at level 2, too.
 */
static bool perf_wants_admin(enum privilege p)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = 0;

	if (f && fscanf(f, "%d", &level) != 1)
		level = 0;
	if (f)
		fclose(f);
	return !feature_works(FEAT_UPROBE_MULTI) || (level > 2 && p == PRIVILEGE_DAEMON);
}

static uint64_t caps_now(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	syscall(SYS_capget, &h, d);
	return d[0].permitted | (uint64_t)d[1].permitted << 32;
}

static uint64_t caps_kept(enum privilege p)
{
	uint64_t perfmon = 1ull << CAP_PERFMON, set = 0, now = caps_now();

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i].who & 1u << p)
			set |= 1ull << kept[i].cap;
	/* It has the rights of that one, too (capabilities(7)), which older Dockers do not know. */
	if (set & perfmon && (!(now & perfmon) || perf_wants_admin(p)))
		set |= 1ull << CAP_SYS_ADMIN;
	return set & now;
}

static int caps_set(uint64_t set)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	for (int i = 0; i < 2; i++)
		d[i].effective = d[i].permitted = (uint32_t)(set >> 32 * i);
	return syscall(SYS_capset, &h, d) ? -errno : 0;
}

/* Whose files are 0640 root:invigil gives them away by being of the group: CAP_CHOWN could take any file. */
static int groups_set(bool child)
{
	gid_t group;

	if (child)
		return setgroups(0, NULL) ? -errno : 0;
	if (!group_named("invigil", &group))
		return 0;
	/* Under a service manager that has done it already, it may not. */
	return setgroups(1, &group) && errno != EPERM ? -errno : 0;
}

static int user_set(uint32_t uid)
{
	int err = groups_set(true);

	if (err)
		return err;
	/* By the calls that take one number: the parent's filter knows which. */
	if (syscall(SYS_setgid, GROUP_NONE) || prctl(PR_SET_KEEPCAPS, 1) ||
	    syscall(SYS_setuid, uid))
		return -errno;
	return 0;
}

static int filter_set(enum privilege p, uint32_t uid)
{
	struct sock_filter code[SYSCALL_FILTER_MAX];
	struct sock_fprog prog = { syscall_filter(p, uid, code), code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &prog)
		       ? -errno
		       : 0;
}

static int drop(enum privilege p, const char **what)
{
	bool child = p >= PRIVILEGE_ATTACHER;
	int err;

	*what = "groups";
	err = p == PRIVILEGE_DAEMON ? groups_set(false) : 0;
	/* Nothing of ours executes anything: without CAP_SETPCAP they stay, and do no harm. */
	for (int cap = 0; !err && cap < 64 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	*what = "user";
	if (!err && child)
		err = user_set(children_user());
	*what = "capabilities";
	if (!err)
		err = caps_set(caps_kept(p));
	*what = "new privileges";
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	return err;
}

int privilege_drop(enum privilege p)
{
	const char *what;
	int err = drop(p, &what);

	if (err) {
		fprintf(stderr, "invigil: privileges: %s: %s\n", what, strerror(-err));
		return err;
	}
	/* Where seccomp is refused there is a filter of somebody else's already. */
	err = filter_set(p, children_user());
	if (err && p <= PRIVILEGE_MONITOR)
		fprintf(stderr, "invigil: privileges: no system call could be given up: %s\n",
			strerror(-err));
	return 0;
}

void privilege_helper(enum privilege p, pid_t parent, const char *name)
{
	environment_wipe();
	if (privilege_drop(p))
		_exit(1);
	/* Cleared by the drop; whoever ended before is not told of. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, name);
}
