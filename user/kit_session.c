/* kit_session.c: finds the one file, a Dockerfile, in what a client sends on a BuildKit session. */
/*
 * HTTP/2 frames (RFC 9113, 4.1), gRPC messages in them (grpc.io, PROTOCOL-HTTP2.md), and the packets of BuildKit's
 * file transfer in those (tonistiigi/fsutil, types/wire.proto). The client is the HTTP/2 server here: it sends no
 * preface. Nothing else that passes is kept: it may be passwords of registries.
 */
#include "kit_session.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_HEAD  9
#define FRAME_MAX   (1u << 20)
#define MESSAGE_MAX (256u << 10) /* fsutil sends 32 KiB at a time */
#define STREAMS     16

enum { PACKET_STAT = 0, PACKET_DATA = 2 };

struct stream {
	uint32_t id;
	struct buf message; /* a part of one */
	uint64_t stats;     /* files that were named on it */
	bool wanted;        /* the file comes on it, ... */
	uint64_t number;    /* ... under this number */
	bool lost;
};

struct kit_session {
	struct buf in;
	struct stream streams[STREAMS];
	unsigned n;
	struct buf file;
	bool named, done, lost;
	kit_is_fn *is;
	void *ctx;
};

struct kit_session *kit_new(void)
{
	return xcalloc(1, sizeof(struct kit_session));
}

void kit_free(struct kit_session *k)
{
	if (!k)
		return;
	for (unsigned i = 0; i < k->n; i++)
		buf_free(&k->streams[i].message);
	buf_free(&k->in);
	buf_free(&k->file);
	free(k);
}

static bool varint(struct span *s, uint64_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < 10 && s->len; i++) {
		unsigned char c = (unsigned char)*s->ptr++;

		s->len--;
		*out |= (uint64_t)(c & 0x7f) << 7 * i;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

/* The next field of a protobuf message: a number, or bytes. False: the end, or no more sense. */
static bool field_next(struct span *s, uint64_t *number, uint64_t *value, struct span *bytes)
{
	uint64_t key, n = 0;

	*bytes = (struct span){ NULL, 0 };
	*value = 0;
	if (!varint(s, &key))
		return false;
	*number = key >> 3;
	switch (key & 7) {
	case 0:
		return varint(s, value);
	case 1:
		n = 8;
		break;
	case 2:
		if (!varint(s, &n))
			return false;
		break;
	case 5:
		n = 4;
		break;
	default:
		return false;
	}
	if (n > s->len)
		return false;
	*bytes = (struct span){ s->ptr, n };
	s->ptr += n;
	s->len -= n;
	return true;
}

static struct span stat_path(struct span stat)
{
	struct span bytes;
	uint64_t number, value;

	while (field_next(&stat, &number, &value, &bytes))
		if (number == 1)
			return bytes;
	return (struct span){ NULL, 0 };
}

static void packet_take(struct kit_session *k, struct stream *s, struct span p)
{
	struct span stat = { NULL, 0 }, data = { NULL, 0 }, bytes;
	uint64_t number, value, type = PACKET_STAT, id = 0;

	while (field_next(&p, &number, &value, &bytes)) {
		if (number == 1)
			type = value;
		else if (number == 2)
			stat = bytes;
		else if (number == 3)
			id = value;
		else if (number == 4)
			data = bytes;
	}
	if (type == PACKET_STAT && stat.ptr) {
		if (!k->named && k->is(k->ctx, stat_path(stat))) {
			k->named = s->wanted = true;
			s->number = s->stats;
		}
		s->stats++;
	} else if (type == PACKET_DATA && s->wanted && id == s->number) {
		size_t room = KIT_FILE_MAX - k->file.len;

		if (data.len)
			buf_add(&k->file, data.ptr, data.len < room ? data.len : room);
		k->done = !data.len || data.len > room;
		k->lost = data.len > room;
	}
}

static void messages_take(struct kit_session *k, struct stream *s)
{
	size_t at = 0;

	while (!k->done && s->message.len - at >= 5) {
		const unsigned char *b = (const unsigned char *)s->message.ptr + at;
		uint32_t n = (uint32_t)b[1] << 24 | b[2] << 16 | b[3] << 8 | b[4];

		if (b[0] || n > MESSAGE_MAX) { /* packed, or none of these */
			s->lost = true;
			break;
		}
		if (s->message.len - at - 5 < n)
			break;
		packet_take(k, s, (struct span){ s->message.ptr + at + 5, n });
		at += 5 + n;
	}
	buf_drop(&s->message, s->lost || k->done ? s->message.len : at);
}

static struct stream *stream_get(struct kit_session *k, uint32_t id)
{
	for (unsigned i = 0; i < k->n; i++)
		if (k->streams[i].id == id)
			return &k->streams[i];
	if (k->n == STREAMS)
		return NULL;
	k->streams[k->n].id = id;
	return &k->streams[k->n++];
}

static void data_take(struct kit_session *k, uint32_t id, bool padded, struct span data)
{
	struct stream *s = stream_get(k, id);
	size_t pad = 0;

	if (padded && data.len) {
		pad = 1 + (unsigned char)*data.ptr;
		data = pad <= data.len ? (struct span){ data.ptr + 1, data.len - pad }
				       : (struct span){ NULL, 0 };
	}
	if (!s || s->lost || !data.len)
		return;
	buf_add(&s->message, data.ptr, data.len);
	messages_take(k, s);
}

bool kit_feed(struct kit_session *k, struct span bytes, kit_is_fn *is, void *ctx,
	      struct span *content, bool *complete)
{
	size_t at = 0;

	if (k->done || k->lost || !bytes.len)
		return false;
	k->is = is;
	k->ctx = ctx;
	buf_add(&k->in, bytes.ptr, bytes.len);
	while (!k->done && k->in.len - at >= FRAME_HEAD) {
		const unsigned char *b = (const unsigned char *)k->in.ptr + at;
		uint32_t n = (uint32_t)b[0] << 16 | b[1] << 8 | b[2];
		uint32_t id = (uint32_t)(b[5] & 0x7f) << 24 | b[6] << 16 | b[7] << 8 | b[8];

		if (n > FRAME_MAX) {
			k->lost = true;
			break;
		}
		if (k->in.len - at - FRAME_HEAD < n)
			break;
		if (!b[3]) /* DATA */
			data_take(k, id, b[4] & 8, (struct span){ k->in.ptr + at + FRAME_HEAD, n });
		at += FRAME_HEAD + n;
	}
	buf_drop(&k->in, k->done || k->lost ? k->in.len : at);
	*content = (struct span){ k->file.ptr, k->file.len };
	*complete = !k->lost;
	return k->done;
}
