/* fuzz_json.c: any bytes are walked as JSON, written as JSON and decoded; what is written is always read back. */
#include <stdlib.h>
#include <string.h>
#include "codec.h"
#include "jsonr.h"
#include "jsonw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *ctx, const struct json_value *v)
{
	struct jsonw *j = ctx;

	if (v->depth > JSON_DEPTH)
		abort();
	json_path_is(v, "/HostConfig/Binds/*");
	jsonw_span(j, NULL, v->text);
	if (v->depth && v->path[v->depth - 1].key.ptr)
		jsonw_span(j, NULL, v->path[v->depth - 1].key);
}

static void count(void *ctx, const struct json_value *v)
{
	(void)v;
	(*(size_t *)ctx)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct buf out = { 0 }, other = { 0 };
	struct jsonw j = { 0 };
	size_t n = 0, at;

	jsonw_begin(&j, &out, NULL);
	jsonw_span(&j, "whole", in);
	jsonw_arr(&j, "values");
	json_walk(in, look, &j, &at);
	if (at > size)
		abort();
	jsonw_close(&j);
	jsonw_raw(&j, "raw");
	jsonw_end(&j);
	if (!utf8_valid((struct span){ out.ptr, out.len }) ||
	    json_walk((struct span){ out.ptr, out.len }, count, &n, &at) != JSON_OK ||
	    at + 1 != out.len)
		abort();
	json_string_at(in, "/Id", &other);

	buf_reset(&out);
	buf_reset(&other);
	base64_encode(in, &out);
	if (!base64_decode((struct span){ out.ptr, out.len }, &other) ||
	    !span_eq_span((struct span){ other.ptr, other.len }, in))
		abort();
	base64_decode(in, &other);
	hex_decode(in, &other);
	escape_decode(in, &other);
	percent_decode(in, &other);
	buf_reset(&out);
	text_escape(in, 64, &out);
	if (out.len > 64 || !utf8_valid((struct span){ out.ptr, out.len }))
		abort();
	buf_free(&out);
	buf_free(&other);
	jsonw_free(&j);
	return 0;
}
