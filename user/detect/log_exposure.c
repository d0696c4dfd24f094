/* log_exposure.c: R5, logs that others can change or read. */
#include <stdio.h>
#include <string.h>
#include "detect.h"

#define STICKY 01000

static void look(const struct fact *f, struct report *out)
{
	const char *path = f->file.path.text, *slash = path ? strrchr(path, '/') : NULL;
	struct span dir = { path, slash ? (size_t)(slash - path) : 0 };
	bool dir_open;

	if (!f->file.is_log || !path)
		return;
	dir_open = others_can_write(f->run, f->file.dir_mode, f->file.dir_uid, f->file.dir_gid) &&
		   !(f->file.dir_mode & STICKY);
	if (others_can_write(f->run, f->file.mode, f->file.uid, f->file.gid))
		finding(out, "R5.1", span_of(path), "%s can be written by others (mode %04o)", path,
			f->file.mode & 07777);
	else if (dir_open)
		finding(out, "R5.1", span_of(path), "%s lies in a directory that others can change (mode %04o)", path,
			f->file.dir_mode & 07777);
	if (others_can_read(f->run, f->file.mode, f->file.uid, f->file.gid))
		finding(out, "R5.2", dir, "%s can be read by others (mode %04o)", path, f->file.mode & 07777);
}

const struct detector detect_log_exposure = { RISK_LOG_EXPOSURE, FACT_FILE, look };
