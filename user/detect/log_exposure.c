/* log_exposure.c: R5, logs of the run that others can change or read. */
#include <string.h>
#include <sys/stat.h>
#include "detect.h"

/* Device and kernel files carry no log, whatever their name. */
static const char *const not_logs[] = { "/dev/", "/proc/", "/sys/" };

static bool is_log(const struct fact *f)
{
	struct span path = span_of(f->file.path.text);

	if (!f->file.is_log || !path.len || (f->file.mode & S_IFMT && !S_ISREG(f->file.mode)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(not_logs); i++)
		if (span_starts(path, not_logs[i]))
			return false;
	return true;
}

/* The group that the run's user writes with is taken for that user's private one. */
static uint32_t mode_of(const struct fact *f, uint32_t mode, uint32_t gid)
{
	const struct process *p = f->process;

	return p && p->uid == f->run->uid && p->gid == gid ? mode & ~(uint32_t)S_IRWXG : mode;
}

static bool dir_changeable(const struct fact *f)
{
	uint32_t mode = mode_of(f, f->file.dir_mode, f->file.dir_gid);

	/* In a sticky directory others change only what they own; its owner changes all. */
	if (mode & S_ISVTX)
		mode &= ~(uint32_t)(S_IWGRP | S_IWOTH);
	return others_can_write(f->run, mode, f->file.dir_uid, f->file.dir_gid);
}

static void look(const struct fact *f, struct report *out)
{
	struct span path = span_of(f->file.path.text), dir = path;
	const char *slash;
	uint32_t mode;

	if (!is_log(f))
		return;
	slash = memrchr(path.ptr, '/', path.len);
	dir.len = slash ? (size_t)(slash - path.ptr) : 0;
	if (!dir.len)
		dir.len = slash ? 1 : 0;
	mode = mode_of(f, f->file.mode, f->file.gid);
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

const struct detector detect_log_exposure = { RISK_LOG_EXPOSURE, FACT_FILE, look };
