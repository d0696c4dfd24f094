/* log_exposure.c: R5, logs of the run that others can change or read. */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "detect.h"

/* Device and kernel files carry no log, whatever their name; /dev/shm holds ordinary ones. */
static const char *const not_logs[] = { "/dev/[!s]*", "/dev/s[!h]*", "/proc/*", "/sys/*" };

static bool is_log(const struct fact *f)
{
	struct span path = span_of(f->file.path.text);

	if (!f->file.is_log || !path.len || (f->file.mode & S_IFMT && !S_ISREG(f->file.mode)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(not_logs); i++)
		if (!fnmatch(not_logs[i], f->file.path.text, 0))
			return false;
	return true;
}

/* The group that the run's user writes with is taken for that user's private one. */
static uint32_t mode_of(const struct fact *f, uint32_t mode, uint32_t gid)
{
	const struct process *p = f->process;

	return p && p->uid == f->run->uid && p->gid == gid ? mode & ~(uint32_t)S_IRWXG : mode;
}

/* pytest's tmp_path, mktemp -d: nobody else gets that far. */
static bool is_closed(const struct fact *f)
{
	const struct path *path = &f->file.path;

	for (unsigned i = 0; i + 1 < path->steps; i++) {
		const struct path_step *s = &path->step[i];

		if (!others_can_enter(f->run, mode_of(f, s->mode, s->gid), s->uid, s->gid))
			return true;
	}
	return false;
}

static bool dir_changeable(const struct fact *f)
{
	uint32_t mode = mode_of(f, f->file.dir_mode, f->file.dir_gid);

	/* In a sticky directory others change only what they own; its owner changes all. */
	if (mode & S_ISVTX)
		mode &= ~(uint32_t)(S_IWGRP | S_IWOTH);
	return others_can_write(f->run, mode, f->file.dir_uid, f->file.dir_gid);
}

static void look_leak(const struct fact *f, struct report *out)
{
	const char *path = f->leak.where == LEAK_OUTPUT ? "the run's output"
			   : f->leak.path               ? f->leak.path
							: "a log";
	struct buf label = { 0 }, subject = { 0 };

	secret_label(f->leak.secret, &label);
	buf_fmt(&subject, "%s in %s", label.ptr, path);
	finding(out, "R5.3", (struct span){ subject.ptr, subject.len }, "%s is written to %s by %s",
		label.ptr, path, f->process && f->process->name ? f->process->name : "?");
	buf_free(&label);
	buf_free(&subject);
}

/* Logs of the system, of containers and of CI services: whoever made them, no test tidies them up. */
static bool is_systems(const char *path)
{
	static const char *const patterns[] = {
		"/var/log/messages*", "/var/log/secure*",
		"/var/log/syslog*",   "/var/log/auth.log*",
		"/var/log/kern.log*", "/var/log/daemon.log*",
		"/var/log/user.log*", "/var/log/cron*",
		"/var/log/maillog*",  "/var/log/mail.*",
		"/var/log/boot.log*", "/var/log/dmesg*",
		"/var/log/wtmp*",     "/var/log/btmp*",
		"/var/log/lastlog",   "/var/log/faillog",
		"/var/log/audit/*",   "/var/log/journal/*",
		"/run/log/journal/*", "/var/log/containers/*",
		"/var/log/pods/*",    "*/containers/*-json.log*",
		"*/_diag/*.log",      "/var/log/gitlab-runner*",
		"/var/log/jenkins/*", "/var/log/buildkite-agent*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!fnmatch(patterns[i], path, 0))
			return true;
	return false;
}

/* Can others do with it what they could not before? */
static bool is_loosened(const struct fact *f)
{
	uint32_t mode = f->file.mode, old = f->file.old_mode;

	if ((f->file.action != FILE_CHMOD && f->file.action != FILE_CHOWN) || is_closed(f))
		return false;
	/* What it was before is not known: what everybody may do now is taken to be new. */
	if (!f->file.before)
		return f->file.action == FILE_CHMOD && mode & (S_IWOTH | S_IROTH);
	return (others_can_write(f->run, mode, f->file.uid, f->file.gid) &&
		!others_can_write(f->run, old, f->file.old_uid, f->file.old_gid)) ||
	       (others_can_read(f->run, mode, f->file.uid, f->file.gid) &&
		!others_can_read(f->run, old, f->file.old_uid, f->file.old_gid));
}

/*
 * Did bytes go? What was in it is known only of a file that the run had opened or changed before: no
 * hook that works everywhere sees a file's size before it is cut. An unknown size counts as some.
 */
static bool is_shortened(const struct fact *f)
{
	return !f->file.before || f->file.old_size > f->file.size;
}

/* What was done to it that a log's reader should know of; NULL: nothing. */
static const char *tampering(const struct fact *f)
{
	switch (f->file.action) {
	case FILE_OPEN:
		return f->file.open_flags & O_TRUNC && !f->file.created && is_shortened(f)
			       ? "truncated"
			       : NULL;
	case FILE_TRUNCATE:
		return is_shortened(f) ? "truncated" : NULL;
	case FILE_REMOVE:
		return "removed";
	case FILE_RENAME:
		return "renamed or replaced";
	default:
		return is_loosened(f) ? "loosened" : NULL;
	}
}

static void look_tampering(const struct fact *f, struct span path, struct report *out)
{
	const char *what = tampering(f);
	bool systems = is_systems(f->file.path.text);
	char size[64] = "";

	/* Package managers and git put files where they belong. */
	if (!what || (f->process && f->process->roles & ROLE_BUILD_TOOL))
		return;
	if (!strcmp(what, "truncated") && f->file.before)
		snprintf(size, sizeof(size), ", of %llu bytes",
			 (unsigned long long)f->file.old_size);
	else if (!strcmp(what, "truncated"))
		snprintf(size, sizeof(size), ", its size before is not known");
	if (systems || f->file.owner == OWNER_FOREIGN)
		finding(out, "R5.5", path, "%.*s, %s, is %s (mode %04o%s)", SPANF(path),
			systems ? "a log of the system, a container or a CI agent"
				: "which the run did not create",
			what, f->file.mode & 07777, size);
}

static void look_rights(const struct fact *f, struct span path, struct report *out)
{
	const char *slash = memrchr(path.ptr, '/', path.len);
	struct span dir = path;
	uint32_t mode = mode_of(f, f->file.mode, f->file.gid);

	dir.len = slash ? (size_t)(slash - path.ptr) : 0;
	if (!dir.len)
		dir.len = slash ? 1 : 0;
	if (others_can_write(f->run, mode, f->file.uid, f->file.gid))
		finding(out, "R5.1", path, "%.*s can be written by others (mode %04o, owner %u:%u)",
			SPANF(path), f->file.mode & 07777, f->file.uid, f->file.gid);
	else if (dir_changeable(f))
		finding(out, "R5.1", path,
			"%.*s lies in a directory that others can change (mode %04o, owner %u:%u)",
			SPANF(path), f->file.dir_mode & 07777, f->file.dir_uid, f->file.dir_gid);
	if (others_can_read(f->run, mode, f->file.uid, f->file.gid))
		finding(out, "R5.2", dir, "%.*s can be read by others (mode %04o)", SPANF(path),
			f->file.mode & 07777);
}

/* The sticky bit is no help here: whoever may put a link there may have put this one. */
static void look_link(const struct fact *f, struct span path, struct report *out)
{
	if (others_can_write(f->run, f->file.dir_mode, f->file.dir_uid, f->file.dir_gid))
		finding(out, "R5.4", path,
			"a log is opened through the link %.*s of uid %u in a directory of mode %04o",
			SPANF(path), f->file.uid, f->file.dir_mode & 07777);
}

/* Another name of a file that was there, where others may have made it. */
static void look_hard_link(const struct fact *f, struct span path, struct report *out)
{
	if (f->file.action == FILE_OPEN && f->file.nlink > 1 && f->file.owner == OWNER_FOREIGN &&
	    others_can_write(f->run, f->file.dir_mode, f->file.dir_uid, f->file.dir_gid))
		finding(out, "R5.4", path,
			"a log with %u names is opened as %.*s in a directory of mode %04o",
			f->file.nlink, SPANF(path), f->file.dir_mode & 07777);
}

static void look_file(const struct fact *f, struct report *out)
{
	struct span path = span_of(f->file.path.text);

	if (!is_log(f))
		return;
	if (f->file.action == FILE_LINK) {
		look_link(f, path, out);
		return;
	}
	switch (f->file.action) {
	case FILE_OPEN:
	case FILE_CHMOD:
	case FILE_CHOWN:
		if (!is_closed(f))
			look_rights(f, path, out);
		break;
	}
	look_hard_link(f, path, out);
	look_tampering(f, path, out);
	if (f->file.secret && is_loosened(f))
		finding(out, "R5.6", path, "%.*s holds a secret and is loosened to %04o",
			SPANF(path), f->file.mode & 07777);
}

static void look(const struct fact *f, struct report *out)
{
	if (f->kind == FACT_FILE)
		look_file(f, out);
	else if (f->leak.where != LEAK_NETWORK)
		look_leak(f, out);
}

const struct detector detect_log_exposure = { RISK_LOG_EXPOSURE, FACT_FILE | FACT_LEAK, look };
