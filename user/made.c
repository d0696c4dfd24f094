/* made.c: builds records as the kernel side would and hands them to the pipeline. */
#include <string.h>
#include "event.h"
#include "made.h"

void made_take(struct pipeline *p, struct ev_hdr h, const void *body, size_t body_len,
	       const void *tail, size_t tail_len)
{
	struct buf b = { 0 };

	h.len = tail_len;
	h.want += tail_len;
	buf_add(&b, &h, sizeof(h));
	buf_add(&b, body, body_len);
	if (tail_len)
		buf_add(&b, tail, tail_len);
	pipeline_take(p, b.ptr, b.len);
	buf_free(&b);
}

void made_record(struct pipeline *p, uint32_t run, uint64_t time, unsigned type, const void *body,
		 size_t body_len, const void *tail, size_t tail_len)
{
	struct ev_hdr h = { .time = time, .type = type, .run = run };

	made_take(p, h, body, body_len, tail, tail_len);
}

void made_unseen(struct pipeline *p, uint32_t run, uint64_t time, uint64_t ino, uint32_t dev,
		 const char *why)
{
	struct ev_unseen e = { .ino = ino, .dev = dev };

	made_record(p, run, time, EV_UNSEEN, &e, sizeof(e), why, strlen(why));
}

void made_gap(struct pipeline *p, uint32_t run, uint64_t time, const char *hook, const char *reason,
	      const char *effect, bool required)
{
	struct ev_gap e = { .required = required };
	struct buf b = { 0 };

	buf_add(&b, hook, strlen(hook) + 1);
	buf_add(&b, reason, strlen(reason) + 1);
	buf_add(&b, effect, strlen(effect) + 1);
	made_record(p, run, time, EV_GAP, &e, sizeof(e), b.ptr, b.len);
	buf_free(&b);
}

void made_secrets_gap(struct pipeline *p, uint32_t run, uint64_t time)
{
	unsigned long long n = pipeline_run(p)->masker.refused;
	struct buf why = { 0 };

	if (!n)
		return;
	buf_fmt(&why, "%llu forms of secrets were too many", n);
	made_gap(p, run, time, "secrets", why.ptr, "where these are written, sent or handed on",
		 false);
	buf_free(&why);
}
